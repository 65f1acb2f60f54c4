"""The examples of the OpenAPI document are accepted."""

import pytest

from tests.support.openapi import FILE, example, operations
from tests.support.stacks.memory_api import MemoryApi


@pytest.mark.parametrize(
    ("path", "place"),
    [
        (path, place)
        for (method, path), operation in operations().items()
        if method == "POST"
        for place in operation.get("requestBody", {}).get("content", {})
    ],
)
async def test_every_documented_example_of_a_post_is_accepted(api: MemoryApi, path: str, place: str) -> None:
    operation = operations()["POST", path]
    body = example(operation, place)
    if place == "application/json":
        reply = await api.client.post(path, json=body)
    elif place == "multipart/form-data":
        texts = {name: (None, str(value).lower()) for name, value in body.items()}
        has_file = "file" in operation["requestBody"]["content"][place]["schema"]["properties"]
        reply = await api.client.post(path, files={**texts, **(FILE if has_file else {})})
    else:
        reply = await api.client.post(path, data=body)
    assert reply.status_code < 400 or reply.status_code == 503, reply.text
