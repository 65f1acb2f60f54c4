"""The written contract: what it describes to readers in other languages is what the code does."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from schemas import generate, topics
from schemas.envelope import Fact, encode
from schemas.events import EVENTS
from schemas.topics import MANIFEST
from services.notifier.readers.deliveries import DeliveriesReader
from services.notifier.readers.job_events import JobEventsReader
from services.projector import app as projector
from services.worker import app as worker
from services.worker.removal import manager as removal

CLAIM = {"uri": "job-1/in/ab", "sha256": "ab", "size": 2, "media_type": "application/json"}
SAMPLES: dict[str, dict[str, Any]] = {
    "JobCreated": {"job_type": "pdf", "parameters": CLAIM, "body_sha256": "ab", "user_id": "ann", "has_webhook": True},
    "JobStarted": {"number": 1, "run": "r", "worker": "w"},
    "JobProgress": {"run": "r", "sequence": 1, "step": "reading_file", "percent": 10, "page": 1, "pages": 9},
    "JobReleased": {"run": "r", "reason": "drain"},
    "JobRetryScheduled": {"run": "r", "error_code": "OUT_OF_MEMORY", "delay_s": 5.5, "details": CLAIM},
    "JobCompleted": {"run": "r", "result": CLAIM, "assets": 2, "pages": 9, "bytes_in": 100, "duration_ms": 5},
    "JobFailed": {"run": "r", "error_code": "INVALID_PDF", "details": CLAIM, "duration_ms": 5},
    "JobCancelled": {"by": "local", "reason": "changed-my-mind"},
    "JobErased": {"by": "local"},
    "BatchCreated": {"count": 2, "specs": CLAIM, "body_sha256": "ab", "name": CLAIM},
    "BatchExpanded": {"count": 2},
    "BatchErased": {"by": "local"},
    "WebhookDelivered": {"delivery_id": "d", "phase": "completed", "attempt": 1, "status": 200, "duration_ms": 3},
    "WebhookFailed": {"delivery_id": "d", "phase": "error", "attempt": 1, "reason": "TIMEOUT", "duration_ms": 3},
    "WebhookAbandoned": {"delivery_id": "d", "phase": "error", "attempt": 9, "reason": "EXHAUSTED"},
    "WebhookRedeliveryRequested": {"delivery_id": "d", "phase": "error", "request": "r", "by": "local"},
    "DocumentAdded": {"content": CLAIM, "details": CLAIM, "revision": "ab", "job_id": "job-1"},
    "DocumentRemoved": {"by": "local"},
    "FolderCreated": {"details": CLAIM, "chunk_size": 500},
    "FolderChanged": {"by": "local", "chunk_size": 800},
    "FolderRemoved": {"by": "local"},
    "FolderMembersChanged": {"added": ["doc-1"], "removed": ["doc-2"]},
    "EndpointRegistered": {"settings": CLAIM, "statuses": ["DONE"]},
    "EndpointTested": {"by": "local"},
    "EndpointRemoved": {"by": "local"},
    "KeyChanged": {"action": "rotated", "by": "k", "replaced_by": "n", "ends_at": "2026-01-02T03:04:05Z"},
    "ContentAccessed": {
        "action": "read",
        "since": "2026-01-02T03:04:05Z",
        "items": [{"route": "GET /api/jobs/{job_id}", "id": "job-1", "times": 2}],
    },
    "RedriveRequested": {"topic": "piperoll.jobs.events.v1", "position": "3:120"},
}
PRINTABLE = st.text(st.characters(categories=["L", "M", "N", "P", "S", "Zs"]), max_size=30)
JSON_LIKE = st.recursive(
    st.none() | st.booleans() | st.integers() | PRINTABLE,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(PRINTABLE, inner, max_size=4),
    max_leaves=20,
)


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    parsed = yaml.safe_load((generate.FOLDER / generate.ASYNCAPI).read_text(encoding="utf-8"))
    assert isinstance(parsed, dict)
    return parsed


def record_of(name: str, body: dict[str, Any]) -> tuple[dict[str, str], Any]:
    """The headers and the body of a record as a subscriber reads them."""
    fact = Fact(
        id="1b2c",
        subject="job-1",
        owner="local",
        time=datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC),
        source="worker",
        data=EVENTS[name].model_validate(body),
    )
    _, value, headers = encode(fact)
    return {key: text.decode() for key, text in headers}, json.loads(value)


def test_the_generated_files_are_those_that_the_code_makes() -> None:
    assert generate.differing() == [], "run `python -m schemas.generate`"


def test_a_changed_a_missing_and_a_superfluous_file_are_named_and_mended(tmp_path: Path) -> None:
    generate.write(tmp_path)
    assert generate.differing(tmp_path) == []
    (tmp_path / "json" / "piperoll.JobStarted.v1.json").write_text("{}")
    (tmp_path / "json" / "piperoll.JobForgotten.v1.json").write_text("{}")
    (tmp_path / "asyncapi.yaml").unlink()
    named = ["asyncapi.yaml", "json/piperoll.JobForgotten.v1.json", "json/piperoll.JobStarted.v1.json"]
    assert generate.differing(tmp_path) == named
    assert generate.write(tmp_path) == named
    assert generate.differing(tmp_path) == []


@pytest.mark.parametrize("name", sorted(EVENTS))
def test_a_record_as_it_is_appended_fits_what_the_schemas_promise(name: str, document: dict[str, Any]) -> None:
    headers, body = record_of(name, SAMPLES[name])
    schema = generate.event_schema(EVENTS[name])
    Draft202012Validator.check_schema(schema)
    Draft202012Validator(schema).validate(body)
    message = document["components"]["messages"][name]
    envelope = {**message["headers"], "components": document["components"]}
    Draft202012Validator(envelope).validate(headers)
    assert headers["ce_dataschema"] == schema["$id"]
    assert (generate.FOLDER.parent / schema["$id"].lstrip("/")).is_file()


@pytest.mark.parametrize("name", sorted(EVENTS))
def test_a_consumer_passes_over_fields_of_a_later_release_and_misses_no_required_one(name: str) -> None:
    validator = Draft202012Validator(generate.event_schema(EVENTS[name]))
    assert validator.is_valid({**SAMPLES[name], "of_a_later_release": [1]})
    assert not validator.is_valid({})


def test_every_event_stands_in_the_topic_that_its_writers_write(document: dict[str, Any]) -> None:
    carried = [event for events in generate.CARRIED.values() for event in events]
    assert sorted(event.__name__ for event in carried) == sorted(EVENTS)
    for topic in MANIFEST:
        for event in generate.CARRIED.get(topic.name, ()):
            assert set(event.writers) <= set(topic.writers), event


def test_every_reference_of_the_asyncapi_document_leads_somewhere(document: dict[str, Any]) -> None:
    for reference in references(document):
        if reference.startswith("#/"):
            found: Any = document
            for part in reference.removeprefix("#/").split("/"):
                found = found[part]
        else:
            found = json.loads((generate.FOLDER / reference).read_text(encoding="utf-8"))
        assert found, reference


def test_the_channels_are_the_topics_of_the_manifest(document: dict[str, Any]) -> None:
    channels = {channel["address"]: channel for channel in document["channels"].values()}
    assert list(channels) == [topic.name for topic in MANIFEST]
    for topic in MANIFEST:
        configured = channels[topic.name]["bindings"]["kafka"]["topicConfiguration"]
        assert configured["retention.ms"] == topic.retention_ms
        assert channels[topic.name]["x-partitioner"] == "murmur2"


def test_the_manifest_names_the_consumer_groups_that_the_services_join() -> None:
    assert topics.JOB_EVENTS.groups == (worker.GROUP, projector.JOBS_GROUP, JobEventsReader.group)
    assert topics.DOCUMENT_EVENTS.groups == (removal.GROUP, projector.DOCUMENTS_GROUP)
    assert topics.JOB_DELIVERIES.groups == (projector.DELIVERIES_GROUP, DeliveriesReader.group)


@given(JSON_LIKE)
def test_what_is_written_as_yaml_is_read_back_the_same(value: Any) -> None:
    assert yaml.safe_load(generate.as_yaml(value)) == value


def references(node: Any) -> list[str]:
    if isinstance(node, list):
        return [found for item in node for found in references(item)]
    if not isinstance(node, dict):
        return []
    own = [node["$ref"]] if isinstance(node.get("$ref"), str) else []
    return own + [found for item in node.values() for found in references(item)]
