"""An id of another owner is answered by the same steps as one that does not exist, so that time does not show it."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import pytest

from services.api.http.database import Source
from services.api.read_model import catching_up
from services.api.read_model.catching_up import CatchingUp

ROWS = {"job-of-acme": "acme", "job-of-other": "other"}


class Steps:
    """A projector that has caught up; the steps of a read are noted."""

    def __init__(self) -> None:
        self.taken: list[str] = []

    async def now(self) -> Mapping[int, int]:
        self.taken.append("the ends of the log")
        return {}

    async def passed(self, ends: Mapping[int, int], topic: Any) -> None:
        self.taken.append("the positions")

    @asynccontextmanager
    async def snapshot(self, *arguments: Any) -> AsyncIterator[tuple[None, Mapping[int, int]]]:
        self.taken.append("a snapshot")
        yield None, {}


async def steps_for(job_id: str, monkeypatch: pytest.MonkeyPatch) -> tuple[str | None, list[str]]:
    """What acme finds under an id, and the steps."""
    steps = Steps()
    monkeypatch.setattr(catching_up, "snapshot", steps.snapshot)
    reads: Any = steps
    reading = CatchingUp(reads, reads, reads, 5.0)

    async def look_up(source: Source | None) -> str | None:
        steps.taken.append("a query")
        return ROWS.get(job_id)

    return await reading.find(look_up, lambda owner: owner == "acme"), steps.taken


async def test_a_foreign_id_takes_the_steps_of_an_absent_one(monkeypatch: pytest.MonkeyPatch) -> None:
    foreign, taken = await steps_for("job-of-other", monkeypatch)
    absent, others = await steps_for("job-of-nobody", monkeypatch)
    assert (foreign, absent) == (None, None)
    assert taken == others
    assert len(taken) > 1


async def test_an_own_id_costs_one_query(monkeypatch: pytest.MonkeyPatch) -> None:
    assert await steps_for("job-of-acme", monkeypatch) == ("acme", ["a query"])
