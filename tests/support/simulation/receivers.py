"""Receivers of webhooks that answer as a story has it."""

import asyncio
import random
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from pydantic_core import from_json

from piperoll.webhooks.attempts import Attempted, Ending

if TYPE_CHECKING:
    from tests.support.simulation.world import World


@dataclass(frozen=True, slots=True)
class Received:
    """One hook that reached its receiver, and the status of the answer; `heard` unless the answer was lost.

    `began_s` is when the attempt began.
    """

    job_id: str
    delivery_id: str
    phase: str
    status: int
    heard: bool
    began_s: float


class Receivers:
    """All receivers. `moods` are the next answers of each, by host: a status, or 0 for none within the timeout.

    A receiver without a mood left answers 204. `noticed` are changes of status that came to registered endpoints.
    """

    def __init__(self, world: "World") -> None:
        self._world = world
        self.moods: dict[str, list[int]] = {}
        self.received: list[Received] = []
        self.noticed: list[Received] = []

    async def post(
        self, url: str, headers: Mapping[str, str], body: bytes, timeout_s: float, chances: random.Random
    ) -> Attempted:
        """Post once. A request that is not answered in time may have arrived or not."""
        began_s = self._world.loop.time()
        await asyncio.sleep(chances.uniform(0.01, 0.3))
        moods = self.moods.get(urlsplit(url).hostname or "", [])
        status = moods.pop(0) if moods else 204
        if status or chances.random() < 0.5:
            self._take(from_json(body), headers["webhook-id"], status, began_s)
        if not status:
            await asyncio.sleep(timeout_s)
            return Attempted(Ending.TIMEOUT, round(timeout_s * 1000), connected=True)
        await asyncio.sleep(chances.uniform(0.01, 0.3))
        return Attempted(Ending.ANSWERED, 10, status, connected=True)

    def _take(self, content: dict[str, Any], delivery_id: str, status: int, began_s: float) -> None:
        if "process" in content:
            job_id, phase = content["process"]["id"], content["phase"]
            self.received.append(Received(job_id, delivery_id, phase, status, bool(status), began_s))
        elif "test" not in content["metadata"]:
            self.noticed.append(Received(content["jobId"], delivery_id, "status", status, bool(status), began_s))
