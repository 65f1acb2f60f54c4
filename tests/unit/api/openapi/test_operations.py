"""The OpenAPI document describes every operation, and its page works offline."""

import re
from pathlib import Path

from tests.support.stacks.memory_api import NOOP, MemoryApi, memory_api


async def test_every_operation_is_documented_with_examples_and_its_errors(api: MemoryApi) -> None:
    document = (await api.client.get("/api/swagger.json")).json()
    for path, item in document["paths"].items():
        for method, operation in item.items():
            named = f"{method} {path}"
            assert operation["summary"], named
            for media_type, content in operation.get("requestBody", {}).get("content", {}).items():
                assert content["example"], f"{named} {media_type}"
            answers = {int(status): answer for status, answer in operation["responses"].items()}
            assert min(answers) < 300, named
            assert path.startswith("/api/health") or {401, 503} <= answers.keys(), named
            for status, answer in answers.items():
                assert answer["description"], f"{named} {status}"
                for media_type, content in answer.get("content", {}).items():
                    assert "example" in content or content["schema"].get("format") == "binary", f"{named} {media_type}"
                    if status >= 400:
                        assert set(content["example"]["error"]) == {"code", "message", "details"}, named


async def test_the_documentation_page_loads_nothing_from_other_hosts(api: MemoryApi) -> None:
    page = (await api.client.get("/api/doc", headers={"Authorization": ""})).text
    assert "/api/swagger.json" in page
    assert re.findall(r"https?://", page) == []


async def test_the_document_has_the_limit_of_a_batch_from_the_settings(tmp_path: Path) -> None:
    async with memory_api(tmp_path, max_batch_jobs=3) as small:
        document = (await small.client.get("/api/swagger.json")).json()
        body = document["paths"]["/api/jobs/batch"]["post"]["requestBody"]["content"]["application/json"]["schema"]
        most = body["properties"]["jobs"]["maxItems"]
        statuses = [
            (await small.client.post("/api/jobs/batch", json={"jobs": [NOOP] * jobs})).status_code
            for jobs in (most, most + 1)
        ]
    assert (most, statuses) == (3, [200, 400])
