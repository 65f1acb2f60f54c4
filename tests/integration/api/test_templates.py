"""The list of templates: those that ship, and those of the operator's folder as they are now."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.support.stacks.api import Api, serving


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The operator's folder of templates."""
    return tmp_path_factory.mktemp("templates")


@pytest.fixture(scope="module")
async def api(environment: dict[str, str], folder: Path) -> AsyncIterator[Api]:
    """An API with a folder of templates."""
    async with serving({**environment, "PIPEROLL_TEMPLATES_DIR": str(folder)}) as serving_api:
        yield serving_api


async def listed(api: Api) -> dict[str, dict[str, Any]]:
    reply = await api.client.get("/api/templates")
    assert reply.status_code == 200, reply.text
    return {one["name"]: one for one in reply.json()["data"]["templates"]}


async def test_the_templates_that_ship_are_listed_by_name_with_their_texts_and_fields(api: Api) -> None:
    found = await listed(api)
    assert list(found) == sorted(found)
    minutes = found["MeetingMinutes"]
    assert (minutes["origin"], minutes["problem"]) == ("shipped", None)
    assert "summary" in {one["name"] for one in minutes["fields"]}
    assert all(f"{{{{{one['name']}|{one['instruction']}" in minutes["content"] for one in minutes["fields"])


async def test_the_operator_s_templates_are_listed_as_they_are_now_and_hide_shipped_ones(
    api: Api, folder: Path
) -> None:
    own = folder / "Letter.md"
    own.write_text("Dear {{who|The addressee.}}")
    (folder / "Broken.md").write_text("{{who|")
    found = await listed(api)
    assert found["Letter"]["origin"] == "operator"
    assert found["Letter"]["fields"] == [{"name": "who", "instruction": "The addressee."}]
    assert found["Broken"]["fields"] == []
    assert "line 1" in found["Broken"]["problem"]
    own.unlink()
    assert (await listed(api))["Letter"]["origin"] == "shipped"


async def test_the_list_needs_a_key(api: Api) -> None:
    async with httpx.AsyncClient(base_url=api.client.base_url) as stranger:
        assert (await stranger.get("/api/templates")).status_code == 401
