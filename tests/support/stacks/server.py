"""A server of the Secretary job API as a client sees it: its address, a key, a folder that it reads, a receiver.

It may be any server of this API: contract tests use HTTP only.
"""

import asyncio
import os
import shlex
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self
from urllib.parse import urlsplit

import httpx

from tests.support.servers.receiver import Received, Receiver
from tests.support.waiting import wait_until

Json = dict[str, Any]
URL, KEY = "http://localhost:5001", "YOUR_API_KEY"
"""The server and its key as the seed's examples call them."""
ENDED = ("completed", "failed")
FINAL = ("completed", "error")
PATIENCE_S = 120.0


@dataclass(frozen=True)
class Server:
    """A server, `files` a folder that both it and the tests see, and a receiver that it reaches at `receiver_url`."""

    client: httpx.AsyncClient
    key: str
    files: Path
    receiver: Receiver
    receiver_url: str

    @classmethod
    @asynccontextmanager
    async def elsewhere(cls) -> AsyncIterator[Self]:
        """The one that CONTRACT_URL, CONTRACT_API_KEY, CONTRACT_FILES and CONTRACT_RECEIVER describe."""
        url, key = os.environ["CONTRACT_URL"], os.environ["CONTRACT_API_KEY"]
        files, receiver_url = Path(os.environ["CONTRACT_FILES"]), os.environ["CONTRACT_RECEIVER"].rstrip("/")
        headers = {"Authorization": f"Bearer {key}"}
        async with (
            Receiver(urlsplit(receiver_url).port or 80) as receiver,
            httpx.AsyncClient(base_url=url, headers=headers, timeout=70) as client,
        ):
            yield cls(client, key, files, receiver, receiver_url)

    async def post(self, path: str, body: Json) -> Json:
        """The JSON that a POST is answered with, with status 200."""
        return answered(await self.client.post(path, json=body))

    async def get(self, path: str) -> Json:
        """The JSON that a GET is answered with, with status 200."""
        return answered(await self.client.get(path))

    async def create(self, **parameters: Any) -> str:
        """Creates a `pdf` job; answers its id."""
        answer = await self.post("/api/jobs/", {"job_type": "pdf", "parameters": parameters})
        return str(answer["data"]["job_id"])

    async def ended(self, path: str) -> Json:
        """What a GET of a job or batch answers once that has ended."""

        async def answer() -> Json | None:
            found = await self.get(path)
            return found if found["data"]["status"] in ENDED else None

        found = await wait_until(answer, PATIENCE_S, f"{path} to end")
        assert found is not None
        return found

    async def hooks(self, job_id: str) -> list[Received]:
        """The hooks of a job in their order of arrival, once its final one is among them."""

        def hooks() -> list[Received] | None:
            found = [one for one in self.receiver.received if one.json.get("process", {}).get("id") == job_id]
            return found if any(one.json["phase"] in FINAL for one in found) else None

        return list(await self.receiver.wait_for(lambda _: hooks(), PATIENCE_S, f"the final hook of {job_id}"))

    async def curl(self, example: str, folder: Path) -> bytes:
        """Runs one of the seed's examples with curl in `folder`; answers what it prints."""
        command = example.replace(URL, str(self.client.base_url).rstrip("/")).replace(KEY, self.key)
        program, *arguments = shlex.split(command.replace("\\\n", " "))
        process = await asyncio.create_subprocess_exec(
            *(program, "--silent", "--show-error", "--fail", *arguments), cwd=folder, stdout=asyncio.subprocess.PIPE
        )
        printed, _ = await process.communicate()
        assert process.returncode == 0, printed
        return printed


def answered(reply: httpx.Response) -> Json:
    """The JSON of a 200."""
    assert reply.status_code == 200, reply.text
    assert reply.headers["Content-Type"] == "application/json"
    return dict(reply.json())
