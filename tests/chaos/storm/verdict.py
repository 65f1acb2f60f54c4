"""The verdict after a storm: what became of every job that was acknowledged."""

import asyncio
import time
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

import httpx

from services.projector.verify.run import VerifyReport
from tests.chaos.storm.load import Book
from tests.chaos.storm.site import Site
from tests.support.servers.receiver import Received
from tests.support.stacks.system import Json, System, is_final
from tests.support.waiting import NeverHappenedError, wait_until

READERS = 8  # requests at once: each reads the contents of a job, and a long storm has ten thousands
CALM_S = 300.0  # the longest wait for a job, from the latest end of another: a slow machine has a backlog


@dataclass(slots=True)
class Verdict:
    """Numbers, and one sentence for each broken promise. `histories` are the records of their subjects.

    `seconds` is how long each part of the account took, waiting included.
    """

    acknowledged: int = 0
    ended: int = 0
    erased: int = 0
    hooks: int = 0
    repeated_hooks: int = 0
    records: int = 0
    parked: int = 0
    late_starts: int = 0
    seconds: dict[str, float] = field(default_factory=dict)
    lost: int = 0
    doubled: int = 0
    leftovers: int = 0
    left_out: dict[str, str] = field(default_factory=dict)
    broken: list[str] = field(default_factory=list)
    histories: dict[str, list[str]] = field(default_factory=dict)

    @property
    def holds(self) -> bool:
        """Whether nothing was lost, doubled or left open."""
        return not self.broken

    @contextmanager
    def timed(self, part: str) -> Iterator[None]:
        """Measure a part of the account."""
        began = time.monotonic()
        yield
        self.seconds[part] = time.monotonic() - began


async def judge(site: Site, book: Book, restores: Sequence[tuple[int, int]]) -> Verdict:
    """Wait until everything has ended, then account for every job. `restores` are those of `Scene`."""
    system = site.system
    verdict = Verdict(acknowledged=len(book.jobs), erased=len(book.erased))
    verdict.broken += book.disputes
    with verdict.timed("ends"):
        jobs = await _ends(system, book, verdict)
    verdict.ended = len(jobs)
    verdict.broken += [
        f"{job_id} ({book.jobs[job_id].kind}) is {job['status']}: {job.get('error')}"
        for job_id, job in jobs.items()
        if job["status"] not in book.jobs[job_id].ends
    ]
    with verdict.timed("webhooks"):
        await _judge_hooks(system, book, restores, verdict)
    with verdict.timed("log"):
        _judge_log(await _settled(system), book, verdict)
    return verdict


async def _ends(system: System, book: Book, verdict: Verdict) -> dict[str, Json]:
    """The jobs that can be read, once all have ended; those that do not end are broken promises."""
    found: dict[str, Json] = {}
    wanted = iter(book.jobs.keys() - book.erased)
    latest_end = time.monotonic()

    async def wait_for_end(job_id: str) -> Json:
        nonlocal latest_end
        while True:
            try:
                job = await system.wait_for_end(job_id, timeout=CALM_S)
            except NeverHappenedError:
                if time.monotonic() - latest_end >= CALM_S:
                    raise
            else:
                latest_end = time.monotonic()
                return job

    async def read() -> None:
        for job_id in wanted:
            try:
                found[job_id] = await wait_for_end(job_id)
            except NeverHappenedError as error:
                verdict.lost += 1
                verdict.broken.append(f"{job_id} did not end: {error}")
                if len(verdict.broken) > 10:  # each waits for minutes
                    return

    await asyncio.gather(*(read() for _ in range(READERS)))
    return found


async def _judge_hooks(system: System, book: Book, restores: Sequence[tuple[int, int]], verdict: Verdict) -> None:
    hooked = {job_id for job_id, accepted in book.jobs.items() if accepted.hooked} - book.erased

    def arrived() -> bool:
        return hooked <= {one.json["process"]["id"] for one in system.receiver.received if is_final(one.json)}

    try:
        await wait_until(arrived, CALM_S, "every final webhook to arrive")
    except NeverHappenedError:
        got = {one.json["process"]["id"] for one in system.receiver.received if is_final(one.json)}
        verdict.broken += [f"the webhook of {job_id} did not arrive" for job_id in sorted(hooked - got)[:10]]
    hooks: dict[str, list[Received]] = defaultdict(list)
    for one in system.receiver.received:
        hooks[one.json["process"]["id"]].append(one)
    finals = {
        job_id: Counter(one.headers["webhook-id"] for one in received if is_final(one.json))
        for job_id, received in hooks.items()
    }
    verdict.broken += [
        f"progress of {job_id} arrived after its end"
        for job_id, received in hooks.items()
        if has_late_progress(received, restores)
    ]
    verdict.hooks = sum(len(ids) for ids in finals.values())
    verdict.repeated_hooks = sum(sum(ids.values()) - len(ids) for ids in finals.values())
    twice = [f"{job_id} has {len(ids)} final webhooks" for job_id, ids in finals.items() if len(ids) > 1]
    verdict.doubled += len(twice)
    verdict.broken += twice


def has_late_progress(received: Sequence[Received], restores: Sequence[tuple[int, int]]) -> bool:
    """Whether progress followed the end in the webhooks of a job, in order of arrival.

    A restore of Postgres may take back an end whose delivery was not in the log yet: then progress may follow, and the
    end comes again under its id (docs/guarantees.md).
    """
    ends = [one for one in received if is_final(one.json)]
    for one in received:
        if not ends or is_final(one.json) or one.number < ends[0].number:
            continue
        was_taken_back = any(ends[0].number <= after and one.number > before for before, after in restores)
        if not (was_taken_back and ends[-1].number > one.number):
            return True
    return False


async def _settled(system: System) -> VerifyReport:
    """The judgement once nothing is open, else the last one.

    The receiver has a webhook before its outcome is in the log, and nothing else waits for jobs that were erased.
    """
    latest: list[VerifyReport] = []

    async def settled() -> bool:
        latest[:] = [await system.verify()]
        return not latest[0].open_jobs and not latest[0].hooks_due

    with suppress(NeverHappenedError):  # what stays open is a broken promise of its own
        await wait_until(settled, CALM_S, "nothing to be open")
    return latest[0]


def _judge_log(report: VerifyReport, book: Book, verdict: Verdict) -> None:
    """Clients repeat a request until it is acknowledged, so the log has exactly their jobs and batches."""
    for what, found, wanted in (
        ("jobs", report.jobs, len(book.jobs)),
        ("batches", report.batches, len(book.batches)),
    ):
        verdict.doubled += max(0, found - wanted)
        verdict.lost += max(0, wanted - found)
        if found != wanted:
            verdict.broken.append(f"the log has {found} {what}, and {wanted} were acknowledged")
    verdict.leftovers = sum(violation.invariant == "I7" for violation in report.violations)
    verdict.records, verdict.parked, verdict.late_starts = report.records, report.parked, report.late_starts
    verdict.broken += [str(violation) for violation in report.violations]
    verdict.broken += [f"{report.open_jobs} jobs are open"] if report.open_jobs else []
    verdict.broken += [f"{report.hooks_due} webhooks have no outcome"] if report.hooks_due else []
    verdict.histories = report.histories


async def all_readable(site: Site) -> None:
    """Wait until all processes of the API serve reads again."""

    async def ready() -> bool:
        return all([(await client.get("/api/health/ready")).status_code == 200 for client in site.clients])

    await wait_until(ready, 120, "the API to be ready", not_yet=(httpx.TransportError,))
