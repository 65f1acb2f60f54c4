"""Whatever happens to store, log, clocks and workers: what a job in the log needs stays, and orphans go in the end."""

import asyncio
import os
import shutil
import tempfile
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.events import BatchExpanded, JobCancelled, JobErased
from schemas.topics import JOB_EVENTS
from tests.support.histories.jobs import completed, created
from tests.support.histories.lives import BATCH, started
from tests.support.runs.sweeping import ENOUGH_S, HOUR_S, INTERVAL_S, Sweeping, sweeping

NUMBERS = st.integers(0, 2)
HOURS = st.sampled_from([0.1, 1, 6, 7, 50, 300])
OFF_H = st.sampled_from([-2000, -50, -1, 0, 1, 50, 2000])


@dataclass
class Course:
    """What happened: the blobs that jobs in the log need, those that may go, and appends that are on their way."""

    one: Sweeping
    needed: set[str] = field(default_factory=set)
    pending: dict[str, float] = field(default_factory=dict)
    copies: list[tuple[Path, set[str]]] = field(default_factory=list)

    async def request(self, number: int, hours: float) -> None:
        """A request stores its blobs. Its append arrives after this time, which is shorter than SETTLED."""
        job = f"job-{number}"
        if not await self.is_known(job):
            self.one.put(*inputs_of(job))
            self.pending.setdefault(job, self.one.loop.time() + min(hours, 40) * HOUR_S)

    async def lost_request(self, number: int) -> None:
        """A request stores its blobs and never reaches the log. A later one of the same id stores the same."""
        job = f"job-{number}"
        if job not in self.pending and not await self.is_known(job):
            self.one.put(*inputs_of(job))

    async def orphan(self, number: int) -> None:
        self.one.put(f"job-orphan-{number}/in/p", f"batch-orphan-{number}/specs/s")

    async def run(self, number: int) -> None:
        job = f"job-{number}"
        if f"{job}/in/p" in self.needed and not await self.has_ended(job):
            self.one.put(f"{job}/run/result.json")
            self.needed.add(f"{job}/run/result.json")
            run = started(1).run
            await self.one.append(job, started(1))
            await self.one.append(job, completed(run))
            self.needed -= {uri for uri in self.needed if uri.startswith(("uploads", "uses")) and job in uri}

    async def erase(self, number: int) -> None:
        job = f"job-{number}"
        await self.one.append(job, JobErased(by="acme"))
        self.needed -= {uri for uri in self.needed if f"{job}/" in f"{uri}/"}

    async def cancel(self, number: int) -> None:
        job = f"job-{number}"
        if job not in self.pending:
            await self.one.append(job, JobCancelled(by="acme"))
            self.needed -= {uri for uri in self.needed if uri.startswith(("uploads", "uses")) and job in uri}

    async def batch(self, number: int) -> None:
        batch = f"batch-{number}"
        if not await self.is_known(batch):
            self.one.put(f"{batch}/specs/s", f"{batch}/in/name")
            await self.one.append(batch, BATCH)
            self.needed |= {f"{batch}/specs/s", f"{batch}/in/name"}

    async def expand(self, number: int) -> None:
        await self.one.append(f"batch-{number}", BatchExpanded(count=2))
        self.needed.discard(f"batch-{number}/specs/s")

    async def back_up(self, _: int) -> None:
        copy = Path(tempfile.mkdtemp(dir=self.one.root.parent))
        shutil.copytree(self.one.root, copy, dirs_exist_ok=True)
        self.copies.append((copy, self.one.names()))

    async def restore(self, number: int) -> None:
        """The store goes back: what was stored since is lost with it, and is not the sweep's doing."""
        if self.copies:
            copy, had = self.copies[number % len(self.copies)]
            self.one.restore(copy)
            self.needed &= had
            self.pending = {job: at for job, at in self.pending.items() if f"{job}/in/p" in had}

    async def copy_with_times(self, hours: float) -> None:
        """All blobs are copied; their times become one that is so far from now."""
        at = (self.one.loop.clock() + timedelta(hours=hours)).timestamp()
        for path in self.one.root.rglob("*"):
            os.utime(path, (at, at))

    async def is_known(self, subject: str) -> bool:
        return bool(await self.facts(subject))

    async def has_ended(self, subject: str) -> bool:
        return any("Created" not in kind and "Started" not in kind for kind in await self.facts(subject))

    async def facts(self, subject: str) -> list[str]:
        ends = await self.one.log.end_offsets(JOB_EVENTS)
        records = await self.one.log.read_range(JOB_EVENTS, dict.fromkeys(ends, 0), ends)
        return [record.ce_type for record in records if record.key_text == subject]

    async def pass_time(self, hours: float) -> None:
        """Sweeps as time passes; appends arrive, each a moment before or after a sweep."""
        end = self.one.loop.time() + hours * HOUR_S
        while self.one.loop.time() < end:
            step = min(INTERVAL_S, end - self.one.loop.time())
            await asyncio.sleep(step)
            await self.sweep()
            await self.arrive()
        await self.sweep()

    async def arrive(self) -> None:
        for job, at in list(self.pending.items()):
            if at <= self.one.loop.time():
                del self.pending[job]
                if not await self.facts(job):
                    self.needed |= inputs_of(job)
                await self.one.append(job, created())

    async def sweep(self) -> None:
        plan = await self.one.sweep.plan(deep=True)
        if plan is not None:
            await self.one.sweep.note(plan)
            await self.one.sweep.carry_out(plan, asyncio.Event())
        missing = self.needed - self.one.names()
        assert missing == set(), f"the sweep deleted {missing}"


def inputs_of(job: str) -> set[str]:
    """The parameters of a job, an upload that it reads, and its marker."""
    return {f"{job}/in/p", f"uploads/acme/{job}/a.pdf", f"uses/acme/{job}/{job}"}


ACTS = ("lost_request", "orphan", "run", "erase", "cancel", "batch", "expand", "back_up", "restore", "restart")
STEPS = st.one_of(
    *(
        st.tuples(st.just(name), NUMBERS, HOURS)
        for name in (
            "lost_request",
            "orphan",
            "run",
            "erase",
            "cancel",
            "batch",
            "expand",
            "back_up",
            "restore",
            "restart",
        )
    ),
    st.tuples(st.just("request"), NUMBERS, HOURS),
    st.tuples(st.just("copy_with_times"), NUMBERS, OFF_H),
    st.tuples(st.sampled_from(["local_off", "store_off", "broker_off"]), NUMBERS, OFF_H),
)


async def take(course: Course, name: str, number: int, hours: float) -> None:
    """One step of a history."""
    one = course.one
    if name == "restart":
        one.restart()
    elif name == "broker_off":  # brokers keep the time better than others
        one.broker_off = max(one.broker_off, timedelta(hours=min(max(hours, 0), 1)))
    elif name.endswith("_off"):
        setattr(one, name, timedelta(hours=hours))
    elif name in ("request", "copy_with_times"):
        await getattr(course, name)(*((number, hours) if name == "request" else (hours,)))
    else:
        await getattr(course, name)(number)


@settings(max_examples=50)
@given(st.lists(st.tuples(STEPS, HOURS), min_size=3, max_size=20))
def test_no_history_loses_what_a_job_needs_and_orphans_go_in_the_end(
    history: list[tuple[tuple[str, int, float], float]],
) -> None:
    async def story(one: Sweeping) -> None:
        course = Course(one)
        for (name, number, hours), then in history:
            await take(course, name, number, hours)
            await course.pass_time(then)
        one.store_off = one.local_off = timedelta()
        await one.append("job-last", JobCancelled(by="acme"))  # an empty log proves nothing
        await course.pass_time(41)
        for number in range(3):
            if await course.is_known(f"job-{number}"):
                await course.cancel(number)
        await course.pass_time(2 * ENOUGH_S / HOUR_S)
        left = {uri for uri in one.names() if uri.startswith(("job-", "batch-")) and "/run/" not in uri}
        assert {uri for uri in left if not await course.is_known(uri.partition("/")[0])} == set()

    with tempfile.TemporaryDirectory() as folder:
        sweeping(Path(folder), story)
