"""`piperoll link`: a link that signs a browser in."""

from pathlib import Path

import httpx

from tests.support.clients.commands import piperoll
from tests.support.stacks.system import System


async def signs_in_as(system: System, link: str) -> str:
    """The owner whom a printed link signs in."""
    url, nonce = link.rstrip("\n").split("/#sign-in=")
    assert url == system.stack.api_url
    async with httpx.AsyncClient(base_url=url) as client:
        reply = await client.post("/api/session", json={"nonce": nonce})
    assert reply.status_code == 200, reply.text
    return str(reply.json()["data"]["owner"])


async def test_a_link_is_printed_alone_for_a_data_folder_and_for_a_url_with_a_key(system: System, folder: Path) -> None:
    of_folder = await piperoll("link", folder=folder)
    assert await signs_in_as(system, of_folder.out) == "local"
    key = await system.create_key("linked", "read")
    variables = {"PIPEROLL_URL": system.stack.api_url, "PIPEROLL_API_KEY": key}
    of_url = await piperoll("link", folder=None, **variables)
    assert await signs_in_as(system, of_url.out) == "linked"


async def test_a_link_cannot_be_made_with_a_wrong_key(system: System) -> None:
    wrong = {"PIPEROLL_URL": system.stack.api_url, "PIPEROLL_API_KEY": "wrong"}
    refused = await piperoll("link", folder=None, **wrong)
    assert (refused.code, refused.out) == (1, "")
    assert "use a key of this installation: by PIPEROLL_API_KEY" in refused.err
