"""The OpenAPI document is answered without a key, so a request for it must cost next to nothing."""

from pathlib import Path
from typing import Any

import pytest

from services.api import web
from tests.support.stacks.memory_api import memory_api


async def test_the_document_is_made_and_encoded_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = 0
    real = web.add_job_types

    def add_job_types(document: dict[str, Any]) -> None:
        nonlocal made
        made += 1
        real(document)

    monkeypatch.setattr(web, "add_job_types", add_job_types)
    async with memory_api(tmp_path) as api:
        without_key = {"Authorization": ""}
        answers = [await api.client.get("/api/swagger.json", headers=without_key) for _ in range(3)]
    assert made == 1
    assert {answer.status_code for answer in answers} == {200}
    assert {answer.headers["content-type"] for answer in answers} == {"application/json"}
    assert len({answer.content for answer in answers}) == 1
    assert answers[0].json()["openapi"].startswith("3.")
