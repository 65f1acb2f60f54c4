"""Histories of jobs as a log may hold them: whole lives, and random ones with zombies, repeats and early ends."""

from datetime import UTC, datetime, timedelta

from hypothesis import strategies as st

from piperoll.log.record import Record, partition_of
from schemas.claims import Claim
from schemas.envelope import Fact, encode
from schemas.events import (
    BatchCreated,
    BatchExpanded,
    Event,
    JobCancelled,
    JobCompleted,
    JobCreated,
    JobErased,
    JobFailed,
    JobProgress,
    JobReleased,
    JobRetryScheduled,
    JobStarted,
)
from schemas.ids import event_id, member_id
from schemas.pages import PageRecords
from schemas.topics import JOB_EVENTS, Topic

BEGAN = datetime(2026, 1, 1, tzinfo=UTC)
OWNER = "acme"
RUNS = ("run-a", "run-b", "run-c")


def claim(uri: str) -> Claim:
    """A claim on a blob that is never read."""
    return Claim(uri=uri, sha256="0" * 64, size=1)


def created(batch_id: str | None = None, has_webhook: bool = False, job_type: str = "noop") -> JobCreated:
    """The creation of a job."""
    return JobCreated(
        job_type=job_type,
        parameters=claim("parameters"),
        body_sha256="0" * 64,
        user_id="user-1",
        batch_id=batch_id,
        has_webhook=has_webhook,
    )


def completed(run: str) -> JobCompleted:
    """The success of a run."""
    counts = {"totalChunks": 3, "filesProcessed": 1}
    return JobCompleted(
        run=run, result=claim(f"{run}/result"), duration_ms=5, bytes_in=7, method="native", counts=counts
    )


def life(has_webhook: bool = False) -> list[Event]:
    """A job from its creation to its completion."""
    return [
        created(has_webhook=has_webhook),
        JobStarted(number=1, run=RUNS[0], worker="worker-0"),
        JobProgress(run=RUNS[0], sequence=1, step="extracting_text", percent=40),
        completed(RUNS[0]),
    ]


def fact(subject: str, data: Event, second: int = 0, owner: str = OWNER) -> Fact:
    """An event in its envelope, `second` seconds into the history."""
    return Fact(
        id=event_id(subject, type(data).__name__, second),
        subject=subject,
        owner=owner,
        time=BEGAN + timedelta(seconds=second),
        source="tests",
        data=data,
    )


def record(fact: Fact, partition: int, offset: int, topic: Topic = JOB_EVENTS) -> Record:
    """A fact as a partition holds it."""
    key, value, headers = encode(fact)
    stamp = int(BEGAN.timestamp() * 1000) + offset
    return Record(topic.name, partition, offset, stamp, key, value, headers)


def garbage(key: str, partition: int, offset: int) -> Record:
    """A record that cannot be decoded, by any release."""
    return Record(JOB_EVENTS.name, partition, offset, 0, key.encode(), b"\xff not an event", [])


def from_the_future(key: str, partition: int, offset: int) -> Record:
    """An event of a release that is not written yet."""
    good = record(fact(key, created()), partition, offset)
    headers = [(name, b"piperoll.JobTeleported.v1" if name == "ce_type" else value) for name, value in good.headers]
    return Record(good.topic, partition, offset, 0, good.key, good.value, headers)


def laid_out(facts: list[Fact], partitions: int) -> dict[int, list[Record]]:
    """The partitions of a log to which these facts were appended in this order."""
    log: dict[int, list[Record]] = {partition: [] for partition in range(partitions)}
    for one in facts:
        partition = partition_of(one.subject, partitions)
        log[partition].append(record(one, partition, len(log[partition])))
    return log


_runs = st.sampled_from(RUNS)
_records = st.builds(PageRecords, run=_runs, key=st.just("0f"), count=st.just(1), last=st.integers(1, 9))
_job_events: st.SearchStrategy[Event] = st.one_of(
    st.builds(created),
    st.builds(JobStarted, number=st.integers(1, 4), run=_runs, worker=st.just("worker-0")),
    st.builds(
        JobProgress,
        run=_runs,
        sequence=st.integers(1, 4),
        step=st.just("reading"),
        percent=st.integers(0, 100),
        page_records=st.none()
        | st.builds(PageRecords, run=_runs, key=st.just("0f"), count=st.just(1), last=st.just(9)),
    ),
    st.builds(JobReleased, run=_runs, reason=st.just("drain")),
    st.builds(
        JobRetryScheduled,
        run=_runs,
        error_code=st.just("PROCESSOR_CRASHED"),
        delay_s=st.just(5.0),
        charged=st.booleans(),
    ),
    st.builds(completed, _runs),
    st.builds(JobFailed, run=_runs, error_code=st.just("INVALID_PDF")),
    st.builds(JobCancelled, by=st.just(OWNER)),
    st.builds(JobErased, by=st.just(OWNER)),
)


@st.composite
def histories(draw: st.DrawFn, jobs: int = 3, batches: int = 2, members: int = 3) -> list[Fact]:
    """Facts of a few jobs, batches and batch members in any order at all, with times that jump back and forth."""
    names = [f"job-{number}" for number in range(jobs)]
    batch_ids = [f"batch-{number}" for number in range(batches)]
    belongs = {member_id(batch_id, index): batch_id for batch_id in batch_ids for index in range(members)}
    facts = []
    for _ in range(draw(st.integers(0, 40))):
        second = draw(st.integers(0, 60))
        if draw(st.integers(0, 7)) == 0:
            batch_id = draw(st.sampled_from(batch_ids))
            whole = BatchCreated(count=members, specs=claim(f"{batch_id}/specs"), body_sha256="0" * 64)
            facts.append(fact(batch_id, draw(st.sampled_from([whole, BatchExpanded(count=members)])), second))
            continue
        job_id = draw(st.sampled_from([*names, *belongs]))
        data = draw(_job_events)
        if isinstance(data, JobCreated):
            data = created(belongs.get(job_id))
        facts.append(fact(job_id, data, second))
    return facts
