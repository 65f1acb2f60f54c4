"""The fields of all requests, as the OpenAPI document of a running API names them."""

from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

Json = dict[str, Any]
BODY = "application/json"
UUID = "00000000-0000-4000-8000-000000000000"
PREFIXES = {"job_id": "job", "batch_id": "batch", "folder_id": "folder", "endpoint_id": "endpoint"}
GOOD: Json = {
    "filename": f"upload://file-{UUID}/a.pdf",
    "url": "https://e.example/a",
    "source": "s3://scans/in",
    "text": "A text.",
    "template": "Session",
    "prompt": "Shorten it.",
    "document_id": f"doc-{UUID}",
    "folder_id": f"folder-{UUID}",
    "items": [{"url": "https://e.example/a"}],
    "webhook": {"url": "https://e.example/h", "token": "t", "jobId": "j"},
    "track": "a",
    "event": "a",
    "session": "a",
}
"""Values for the required parameters of job types, and for objects whose fields are tried."""


@dataclass(frozen=True)
class Field:
    """One field of one request. `body` is a good body; `trail` leads to the field in it, or is its name elsewhere."""

    method: str
    path: str
    place: str
    trail: tuple[str | int, ...]
    body: Json | None = None
    media_type: str = ""
    streams: bool = False

    @property
    def name(self) -> str:
        return str(self.trail[-1])

    def with_value(self, value: Any) -> Json:
        """The body with another value of this field."""
        body = deepcopy(self.body or {})
        inner: Any = body
        for step in self.trail[:-1]:
            inner = inner[step]
        inner[self.trail[-1]] = value
        return body


def fields_of(document: Json) -> Iterator[Field]:
    """All fields of all requests; those of a job also as the second job of a batch, and of a batch's webhook."""
    schemas = document["components"]["schemas"]
    for path, item in document["paths"].items():
        for method, operation in item.items():
            streams = "text/event-stream" in str(operation["responses"])
            contents = operation.get("requestBody", {}).get("content", {})
            media_type = next(iter(contents), "")
            example = contents[media_type]["example"] if contents else None
            for parameter in operation.get("parameters", ()):
                place, name = parameter["in"], parameter["name"]
                yield Field(method.upper(), path, place, (name,), example, media_type, streams)
            for media, described in contents.items():
                for trail, body in _bodies(described, schemas):
                    yield Field(method.upper(), path, "body", trail, body, media, streams)


def _bodies(content: Json, schemas: Json) -> Iterator[tuple[tuple[str | int, ...], Json]]:
    example, properties = content["example"], content["schema"]["properties"]
    for name in properties:
        if name != "file":
            yield (name,), example
    if "parameters" in properties:
        for trail, body in _jobs(properties, schemas):
            yield trail, body
    if "jobs" in properties:
        for trail, job in _jobs(properties["jobs"]["items"]["properties"], schemas):
            yield ("jobs", 1, *trail), {**example, "jobs": [example["jobs"][0], job]}
        for name in schemas["Webhook"]["properties"]:
            yield ("webhook", name), {**example, "webhook": GOOD["webhook"]}


def _jobs(properties: Json, schemas: Json) -> Iterator[tuple[tuple[str | int, ...], Json]]:
    """The fields of jobs of all types, one level of objects and lists of objects deep."""
    models = [one["$ref"].rpartition("/")[2] for one in properties["parameters"]["oneOf"]]
    for model in models:
        job_type = model.removesuffix("Parameters").lower()
        schema = schemas[model]
        required = {name: GOOD[name] for name in schema.get("required", ())} or _one_source(schema["properties"])
        job = {"job_type": job_type, "parameters": required, "user_id": "u"}
        yield ("user_id",), job
        for name in schema["properties"]:
            yield ("parameters", name), job
        nested: Json = {"webhook": ("url", "token", "jobId"), "items": ("filename", "url")}
        for name in nested.keys() & schema["properties"].keys():
            place = (name, 0) if name == "items" else (name,)
            for inner in nested[name]:
                value = [{inner: "a"}] if name == "items" else GOOD[name]
                yield ("parameters", *place, inner), {**job, "parameters": {**required, name: value}}


def _one_source(properties: Json) -> Json:
    names = [name for name in ("url", "text") if name in properties][:1]
    extra = [name for name in ("template",) if "text" in properties]
    return {name: GOOD[name] for name in (*names, *extra)}
