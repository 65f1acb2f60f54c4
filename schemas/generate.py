"""Generates the contract for readers of other languages: `json/*.json`, one schema per event, and `asyncapi.yaml`.

`python -m schemas.generate` writes them, `--check` lists those that differ from the code and fails. Everything is
derived from the events, the envelope's names and the topic manifest.
"""

import argparse
import json
import re
import sys
from collections.abc import Iterator
from inspect import getdoc
from pathlib import Path
from typing import Any

from pydantic.json_schema import GenerateJsonSchema

from schemas import events, topics
from schemas.envelope import CONTENT_TYPE, SPEC_VERSION
from schemas.events import EVENTS, Event
from schemas.topics import MANIFEST, Topic

FOLDER = Path(__file__).parent
JSON_FOLDER = "json"
ASYNCAPI = "asyncapi.yaml"
CONTRACT_VERSION = "1.0.0"  # the major part is the `.v1` of the topics; every event also has its own version
KAFKA_BINDING = "0.5.0"

Schema = dict[str, Any]

CARRIED: dict[str, tuple[type[Event], ...]] = {
    topics.JOB_EVENTS.name: (*events.JOB_EVENTS, *events.BATCH_EVENTS),
    topics.JOB_DELIVERIES.name: events.DELIVERY_EVENTS,
    topics.DOCUMENT_EVENTS.name: events.DOCUMENT_EVENTS,
    topics.ENDPOINT_EVENTS.name: events.ENDPOINT_EVENTS,
    topics.AUDIT_EVENTS.name: events.AUDIT_EVENTS,
}
"""Events by topic. The dead letters hold no event, only records that could not be used."""

HEADERS: dict[str, Schema] = {
    "ce_specversion": {"const": SPEC_VERSION.decode()},
    "ce_id": {"description": "deterministic: a record that was appended twice has it twice"},
    "ce_source": {"description": "the service that appended it, such as /piperoll/api"},
    "ce_type": {"description": "the event and its version, such as piperoll.JobCreated.v1"},
    "ce_subject": {"description": "id of the job, batch, document, folder, endpoint or API key; also the record's key"},
    "ce_time": {"format": "date-time", "description": "the time of the writer, RFC 3339 with a zone"},
    "ce_dataschema": {"description": "the schema of the body, such as /schemas/json/piperoll.JobCreated.v1.json"},
    "ce_owner": {"description": "the owner of the API key, whose data it is"},
    "content-type": {"const": CONTENT_TYPE.decode()},
    "traceparent": {"description": "W3C trace context of the request that caused it"},
}
OPTIONAL_HEADERS = frozenset({"traceparent"})
DEAD_LETTER_HEADERS: dict[str, str] = {
    "piperoll_kind": "`parked`; `stopped`: a partition waits at it; `settled`: it was put back or left out for good",
    "piperoll_consumer": "the reader that parked it or stopped at it, or the command that settled it",
    "piperoll_topic": "the topic of the record",
    "piperoll_position": "partition:offset there",
    "piperoll_reason": "why, in words",
    "piperoll_parked_at": "when, RFC 3339",
}


class _Untitled(GenerateJsonSchema):
    """Leaves out the titles that pydantic derives from field names."""

    def field_title_should_be_set(self, schema: Any) -> bool:
        return False


def event_schema(event: type[Event]) -> Schema:
    """An event's body as a consumer may rely on it: open, so that consumers ignore fields of a later release."""
    schema = event.model_json_schema(mode="validation", schema_generator=_Untitled)
    for part in (schema, *schema.get("$defs", {}).values()):
        part["additionalProperties"] = True
    return {
        "$schema": GenerateJsonSchema.schema_dialect,
        "$id": f"/schemas/{JSON_FOLDER}/{event.type_name()}.json",
        **schema,
    }


def asyncapi() -> Schema:
    """The AsyncAPI 3.0 document: topics as channels, writers and readers as operations, events as messages."""
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Piperoll's log",
            "version": CONTRACT_VERSION,
            "description": getdoc(topics),
            "license": {"name": "AGPL-3.0-or-later"},
        },
        "defaultContentType": CONTENT_TYPE.decode(),
        "channels": {_name(topic): _channel(topic) for topic in MANIFEST},
        "operations": dict(_operations()),
        "components": {
            "schemas": {"CloudEvent": _envelope()},
            "messages": {
                **{event.__name__: _message(event) for event in EVENTS.values()},
                "DeadLetter": _dead_letter(),
            },
        },
    }


def _name(topic: Topic) -> str:
    """`jobsEvents` from `piperoll.jobs.events.v1`: AsyncAPI's names have no dots."""
    words = re.split(r"[.-]", topic.name.removeprefix("piperoll."))[:-1]
    return words[0] + "".join(word.capitalize() for word in words[1:])


def _messages(topic: Topic) -> list[str]:
    return [event.__name__ for event in CARRIED.get(topic.name, ())] or ["DeadLetter"]


def _channel(topic: Topic) -> Schema:
    config = topic.config()
    return {
        "address": topic.name,
        "description": f"Key: {topic.key}.",
        "messages": {name: {"$ref": f"#/components/messages/{name}"} for name in _messages(topic)},
        "x-partitioner": "murmur2",
        "x-message-timestamp-type": config["message.timestamp.type"],
        "bindings": {
            "kafka": {
                "topic": topic.name,
                "topicConfiguration": {
                    "cleanup.policy": [config["cleanup.policy"]],
                    "retention.ms": int(config["retention.ms"]),
                    "retention.bytes": int(config["retention.bytes"]),
                },
                "bindingVersion": KAFKA_BINDING,
            }
        },
    }


def _operations() -> Iterator[tuple[str, Schema]]:
    for topic in MANIFEST:
        channel = _name(topic)
        for writer in topic.writers:
            written = [event.__name__ for event in CARRIED.get(topic.name, ()) if writer in event.writers]
            yield f"piperoll.{writer}.appends.{channel}", _operation("send", channel, written or ["DeadLetter"])
        for group in topic.groups:
            operation = _operation("receive", channel, _messages(topic))
            binding = {"groupId": {"type": "string", "const": group}, "bindingVersion": KAFKA_BINDING}
            yield f"{group}.reads.{channel}", {**operation, "bindings": {"kafka": binding}}


def _operation(action: str, channel: str, messages: list[str]) -> Schema:
    return {
        "action": action,
        "channel": {"$ref": f"#/channels/{channel}"},
        "messages": [{"$ref": f"#/channels/{channel}/messages/{name}"} for name in messages],
    }


def _message(event: type[Event]) -> Schema:
    return {
        "name": event.type_name(),
        "title": event.__name__,
        "summary": getdoc(event),
        "contentType": CONTENT_TYPE.decode(),
        "headers": {
            "type": "object",
            "allOf": [
                {"$ref": "#/components/schemas/CloudEvent"},
                {"type": "object", "properties": {"ce_type": {"type": "string", "const": event.type_name()}}},
            ],
        },
        "payload": {"$ref": f"./{JSON_FOLDER}/{event.type_name()}.json"},
        "bindings": _keyed_by("the ce_subject"),
    }


def _dead_letter() -> Schema:
    own = {name: {"type": "string", "description": said} for name, said in DEAD_LETTER_HEADERS.items()}
    return {
        "name": "piperoll.DeadLetter",
        "title": "DeadLetter",
        "summary": "A record that could not be decoded, byte for byte, with its own headers in addition to these.",
        "contentType": "application/octet-stream",
        "headers": {"type": "object", "required": list(own), "properties": own},
        "payload": {"description": "the unchanged value of the record"},
        "bindings": _keyed_by("the record's own"),
    }


def _keyed_by(description: str) -> Schema:
    key = {"type": "string", "description": description}
    return {"kafka": {"key": key, "bindingVersion": KAFKA_BINDING}}


def _envelope() -> Schema:
    return {
        "type": "object",
        "description": "CloudEvents 1.0 in Kafka's binary mode: attributes as headers, the event as the value.",
        "required": [name for name in HEADERS if name not in OPTIONAL_HEADERS],
        "properties": {name: {"type": "string", **schema} for name, schema in HEADERS.items()},
        "additionalProperties": True,
    }


# --- writing ------------------------------------------------------------------------------------------------------

PLAIN = re.compile(r"[A-Za-z_$][A-Za-z0-9_$ /.()'-]*")
RESERVED = frozenset({"true", "false", "null", "yes", "no", "on", "off", "y", "n"})


def as_yaml(value: Any, indent: str = "") -> str:
    """YAML 1.2 of JSON-like data in block style, keys in the order given; ends with a line end.

    Strings that YAML might read as another type are quoted as in JSON, which YAML includes.
    """
    if isinstance(value, dict) and value:
        return "".join(f"{indent}{_scalar(key)}:{_nested(item, indent + '  ')}" for key, item in value.items())
    if isinstance(value, list) and value:
        return "".join(f"{indent}- {as_yaml(item, indent + '  ').removeprefix(indent + '  ')}" for item in value)
    return f"{indent}{_scalar(value)}\n"


def _nested(value: Any, indent: str) -> str:
    if isinstance(value, dict | list) and value:
        return "\n" + as_yaml(value, indent)
    return f" {_scalar(value)}\n"


def _scalar(value: Any) -> str:
    plain = isinstance(value, str) and PLAIN.fullmatch(value) and not value.endswith(" ")
    if plain and value.lower() not in RESERVED:
        return str(value)
    return json.dumps(value, ensure_ascii=False)


def documents() -> dict[str, str]:
    """Every generated file by its path under `schemas/`."""
    written = {
        f"{JSON_FOLDER}/{event.type_name()}.json": json.dumps(event_schema(event), indent=2, ensure_ascii=False) + "\n"
        for event in EVENTS.values()
    }
    head = "# Generated by `python -m schemas.generate`. Change schemas/*.py, then run it again.\n"
    return {**written, ASYNCAPI: head + as_yaml(asyncapi())}


def differing(folder: Path = FOLDER) -> list[str]:
    """The files under `folder` that differ from the code, are missing, or belong to no event."""
    wanted = documents()
    stale = [f"{JSON_FOLDER}/{path.name}" for path in (folder / JSON_FOLDER).glob("*.json")]
    found = {name: _content(folder / name) for name in {*wanted, *stale}}
    return sorted(name for name, content in found.items() if content != wanted.get(name))


def write(folder: Path = FOLDER) -> list[str]:
    """Bring the files under `folder` up to date; return those that were not."""
    changed = differing(folder)
    wanted = documents()
    (folder / JSON_FOLDER).mkdir(parents=True, exist_ok=True)
    for name in changed:
        if name in wanted:
            (folder / name).write_text(wanted[name], encoding="utf-8")
        else:
            (folder / name).unlink()
    return changed


def _content(path: Path) -> str | None:
    return path.read_text(encoding="utf-8") if path.exists() else None


def main() -> int:
    """The command."""
    parser = argparse.ArgumentParser(prog="python -m schemas.generate", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--check", action="store_true", help="write nothing; exit with 1 if a file would change")
    if parser.parse_args().check:
        changed = differing()
        for name in changed:
            print(f"schemas/{name} differs from the code: run `python -m schemas.generate`", file=sys.stderr)
        return 1 if changed else 0
    for name in write():
        print(f"schemas/{name}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
