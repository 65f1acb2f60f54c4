"""`piperoll verify`: folds the log independently and compares the tables with it, partition by partition.

Works beside a live projector: a partition is folded up to its checkpoint without a lock, then up to the newer
checkpoint of a snapshot, in which its rows are read. So memory holds one partition at a time, and changes meanwhile
are not reported as faults. Writes nothing but its verdict (`piperoll.verification`).
"""

import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import aclosing
from dataclasses import dataclass, field

import asyncpg
from asyncpg import Connection

from piperoll import verification
from piperoll.clock import utc_now
from piperoll.domain.job import Job
from piperoll.history import History, Violation, checkpoints_past_end
from piperoll.installation.guard import examine
from piperoll.log.kafka import KafkaOffsets
from piperoll.log.parking import Decoded, Parking, decode_accounted
from piperoll.log.record import Position
from piperoll.log.trace import traces
from piperoll.postgres import load_queries
from piperoll.settings import Settings
from piperoll.store.blobs import AsyncBlobs, Blobs, BlobStoreError
from schemas.claims import Claim
from schemas.envelope import Fact
from schemas.events import JobCompleted
from schemas.topics import DOCUMENT_EVENTS, ENDPOINT_EVENTS, JOB_DELIVERIES, JOB_EVENTS, Topic
from services.projector.database.schema import require_shape
from services.projector.database.values import text
from services.projector.deliveries.writer import PARKED_DELIVERIES
from services.projector.verify import jobs as comparison
from services.projector.verify.document_comparison import DocumentHistory
from services.projector.verify.documents import compare_documents, compare_indexes, compare_search
from services.projector.verify.endpoints import EndpointHistory, endpoint_violations
from services.projector.verify.leftovers import job_leftovers, removal_leftovers, unerased_jobs, upload_marks

TOPICS = (JOB_EVENTS, JOB_DELIVERIES, DOCUMENT_EVENTS, ENDPOINT_EVENTS)
HISTORIES = 5  # violations beyond these have the same cause as a rule
STATEMENT_S = 600.0  # a partition's rows are read whole; a job table of millions takes a while

Progress = Callable[[int, int], None]
"""Called with the number of partitions that are done, and the total."""


@dataclass(slots=True)
class VerifyReport:
    """The result: counts and violations. `records` were read from all topics; `seconds` is the duration.

    `open_jobs` have not ended yet; `hooks_due` are ended jobs whose webhook has no outcome yet: on a live stack
    neither is a fault. `late_starts` are starts of jobs that had ended. `histories` are the records of the first
    subjects with violations, as lines. `unkept` is why the verdict could not be kept, if so.
    """

    records: int = 0
    jobs: int = 0
    batches: int = 0
    documents: int = 0
    folders: int = 0
    indexes: int = 0
    endpoints: int = 0
    deliveries: int = 0
    open_jobs: int = 0
    hooks_due: int = 0
    parked: int = 0
    late_starts: int = 0
    seconds: float = 0.0
    violations: list[Violation] = field(default_factory=list)
    histories: dict[str, list[str]] = field(default_factory=dict)
    unkept: str = ""

    @property
    def holds(self) -> bool:
        """Whether every invariant that was checked holds."""
        return not self.violations


async def verify(settings: Settings, progress: Progress = lambda done, total: None) -> VerifyReport:
    """Compare the whole read model with the log up to the projected offsets.

    Raises OSError or asyncpg.PostgresError without Postgres (UndefinedTableError: nothing was projected yet),
    OtherShapeError for tables of another version, InstallationError for stores that do not belong together, aiokafka's
    KafkaError, BlobStoreError, UnknownEventError.
    """
    began = time.monotonic()
    report = VerifyReport()
    connection = await asyncpg.connect(settings.postgres_dsn.get_secret_value(), command_timeout=STATEMENT_S)
    offsets = KafkaOffsets(settings)
    blobs = AsyncBlobs(Blobs(settings.blob_url))
    try:
        await require_shape(connection)
        await offsets.start()
        blobs.sync.guard.on = await examine(blobs, offsets, await offsets.identity()) is not None
        sql = load_queries("services.projector.verify", "verify.sql")
        listed_at, uses = utc_now(), await upload_marks(blobs, settings.partitions)
        begins = {topic.name: await offsets.begin_offsets(topic) for topic in TOPICS}
        for partition in range(settings.partitions):
            progress(partition, settings.partitions)
            begin = {name: found[partition] for name, found in begins.items()}
            expired = await connection.fetch(sql["parked_by_expired"], partition, begin[JOB_DELIVERIES.name])
            parked = {row["job_id"] for row in expired}
            folding = PartitionHistory(offsets, partition, settings.partitions, begin, parked)
            await _verify_partition(connection, sql, folding, blobs, report)
            marks = uses.get(partition, {})
            report.violations += await job_leftovers(folding.history, blobs, listed_at, marks)
            report.violations += await removal_leftovers(folding.documents, blobs, utc_now())
        progress(settings.partitions, settings.partitions)
        for row in await connection.fetch(sql["orphans"]):
            report.violations.append(Violation("I3", row["id"], f"is an {row['kind']} row that belongs to nothing"))
        for row in await connection.fetch(sql["miscounted"]):
            report.violations.append(Violation("I3", row["batch_id"], "has counts that are not those of its members"))
        for row in await connection.fetch(sql["miscounted_ends"]):
            span = f"the {row['seconds']} s from {row['at']:%Y-%m-%d %H:%M} in partition {row['partition']}"
            report.violations.append(Violation("I3", span, "have counts that are not those of the jobs that ended"))
        report.violations += await compare_search(connection, sql, blobs)
        report.violations += await unerased_jobs(connection, sql)
        subjects = list(dict.fromkeys(violation.subject for violation in report.violations))[:HISTORIES]
        if subjects:
            report.histories = await traces(offsets, subjects, TOPICS)
        report.seconds = time.monotonic() - began
        await _keep(blobs, report)
    finally:
        await offsets.stop()
        await connection.close()
        blobs.close()
    return report


async def _keep(blobs: AsyncBlobs, report: VerifyReport) -> None:
    sentences = tuple(str(violation)[:500] for violation in report.violations[: verification.MOST_SENTENCES])
    try:
        await verification.keep(
            blobs,
            verification.Verification(
                holds=report.holds,
                ended_at=utc_now(),
                seconds=report.seconds,
                records=report.records,
                jobs=report.jobs,
                documents=report.documents,
                violations=len(report.violations),
                sentences=sentences,
            ),
        )
    except BlobStoreError as error:
        report.unkept = str(error)


class PartitionHistory:
    """One partition of all topics, read and folded from its beginning, not by the projector's readers.

    `parked` are the keys whose undecodable record is no longer kept. `refused` are the offsets from which on the tables
    have keys parked: a record that decodes is parked with its key if Postgres refused it, which only the projector can
    know.
    """

    def __init__(
        self, offsets: KafkaOffsets, partition: int, partitions: int, begin: Mapping[str, int], parked: Iterable[str]
    ) -> None:
        self.partition = partition
        self.begin = begin
        self.positions = dict(begin)
        self.history = History(partitions)
        self.documents = DocumentHistory(partitions)
        self.endpoints = EndpointHistory(partitions)
        self._parking = {topic: Parking() for topic in TOPICS}
        for key in parked:
            self._parking[JOB_DELIVERIES].keys[key.removeprefix(PARKED_DELIVERIES)] = 0
        self.refused: Mapping[str, int] = {}
        self.deliveries: dict[tuple[str, str], tuple[int, str, str]] = {}  # by subject and id: the first record counts
        self.records = 0
        self._indexes: dict[str, Claim] = {}
        self._offsets = offsets

    async def fold_to(self, topic: Topic, end: int) -> None:
        """Fold up to `end`, or to the end of the log, whichever comes first."""
        log_end = (await self._offsets.end_offsets(topic))[self.partition]
        part, stop = self.partition, min(end, log_end)
        begin = self.positions[topic.name]
        if begin >= stop:
            return
        async with aclosing(self._offsets.scan(topic, {part: begin}, {part: stop})) as polls:
            async for records in polls:
                for record in records:
                    self.records += 1
                    self._observe(topic, decode_accounted(record))
        self.positions[topic.name] = stop

    def indexed(self) -> dict[str, tuple[Job, Claim]]:
        """The embedding jobs with an index that were not erased."""
        jobs = self.history.jobs
        return {
            text(job_id): (jobs[job_id], claim) for job_id, claim in self._indexes.items() if not jobs[job_id].erased
        }

    @property
    def parked(self) -> set[str]:
        """The parked keys of all topics, as the tables have them."""
        return {_parked_key(topic, key) for topic, parking in self._parking.items() for key in parking.keys}

    def _observe(self, topic: Topic, entry: Decoded) -> None:
        fact, position = self._admitted(topic, entry), entry.record.position
        if topic is JOB_DELIVERIES:
            self._observe_delivery(entry.fact, fact, position)
        elif fact is None:
            return
        elif topic is DOCUMENT_EVENTS:
            self.documents.observe(fact, position)
        elif topic is ENDPOINT_EVENTS:
            self.endpoints.observe(fact, position)
        else:
            before = self.history.jobs.get(fact.subject)
            self.history.observe(fact, position)
            if self.history.jobs.get(fact.subject) is not before:
                self._keep_index(fact)

    def _observe_delivery(self, made: Fact | None, admitted: Fact | None, position: Position) -> None:
        if made is not None:
            self.history.observe(made, position)  # includes parked deliveries, which were made too
        if admitted is not None:
            subject = text(admitted.subject)
            row = (position.offset, subject, admitted.data.type_name())
            self.deliveries.setdefault((subject, text(admitted.id)), row)

    def _admitted(self, topic: Topic, entry: Decoded) -> Fact | None:
        """The fact if the projector may have folded it."""
        parking, record = self._parking[topic], entry.record
        parking.letters.clear()
        if entry.fact is not None and self.refused.get(_parked_key(topic, record.key_text)) == record.offset:
            parking.park(record, "Postgres refused it")
            return None
        return parking.admit(entry)

    def _keep_index(self, fact: Fact) -> None:
        if isinstance(fact.data, JobCompleted) and fact.data.index is not None:
            self._indexes[fact.subject] = fact.data.index


def _parked_key(topic: Topic, key: str) -> str:
    return PARKED_DELIVERIES + key if topic is JOB_DELIVERIES else key


async def _verify_partition(
    connection: Connection, sql: Mapping[str, str], folding: PartitionHistory, blobs: AsyncBlobs, report: VerifyReport
) -> None:
    part = folding.partition
    await _fold_to_checkpoints(connection, sql, folding)
    async with connection.transaction(isolation="repeatable_read", readonly=True):
        stored = await _fold_to_checkpoints(connection, sql, folding)
        for topic, next_offset in stored.items():
            report.violations += checkpoints_past_end({part: next_offset}, {part: folding.positions[topic]})
        report.violations += await _compare_jobs(connection, sql, folding)
        report.violations += await _compare_others(connection, sql, folding)
        report.violations += await compare_documents(connection, sql, folding.documents, part)
        rows = await connection.fetch(sql["endpoints"], part)
        report.violations += endpoint_violations(folding.endpoints, rows, part)
        report.violations += await compare_indexes(connection, sql, folding.indexed(), blobs, part)
    report.violations += folding.history.violations()
    _count(report, folding)


async def _fold_to_checkpoints(
    connection: Connection, sql: Mapping[str, str], folding: PartitionHistory
) -> dict[str, int]:
    """Fold up to the stored checkpoints; return those of the topics that are kept for ever, by topic."""
    stored = {}
    for topic in TOPICS:
        next_offset = await connection.fetchval(sql["checkpoint"], topic.name, folding.partition)
        if next_offset is not None:
            refused = await connection.fetch(sql["parked"], folding.partition)
            folding.refused = {row["job_id"]: row["since_offset"] for row in refused}
            await folding.fold_to(topic, next_offset)
            if topic is not JOB_DELIVERIES:
                stored[topic.name] = next_offset
    return stored


async def _compare_jobs(connection: Connection, sql: Mapping[str, str], folding: PartitionHistory) -> list[Violation]:
    found: list[Violation | None] = []
    missing = {text(job_id): job for job_id, job in folding.history.jobs.items()}
    async for row in connection.cursor(sql["jobs"], folding.partition, prefetch=1000):
        job = missing.pop(row["job_id"], None)
        if job is None:
            found.append(comparison.unexplained(row))
        else:
            found += [*comparison.job_violations(job, row, folding.partition), comparison.misplaced(row)]
    lost = [Violation("I3", job_id, "is in the log and not in the tables") for job_id in sorted(missing)]
    return [violation for violation in found if violation is not None] + lost


async def _compare_others(connection: Connection, sql: Mapping[str, str], folding: PartitionHistory) -> list[Violation]:
    part, history = folding.partition, folding.history
    trails = {row["job_id"]: row["trail"] for row in await connection.fetch(sql["trails"], part)}
    parked = {row["job_id"] for row in await connection.fetch(sql["parked"], part)}
    first = folding.begin[JOB_DELIVERIES.name]
    rows = await connection.fetch(sql["deliveries"], part, first)
    deliveries = {(row["log_offset"], row["job_id"], row["type"]) for row in rows}
    expected = {text(job_id): trail for job_id, trail in history.trails.items()}
    return [
        *comparison.trail_violations(expected, trails),
        *comparison.batch_violations(history.batches, await connection.fetch(sql["batches"], part)),
        *comparison.set_violations(f"the parked keys of partition {part}", folding.parked, parked),
        *comparison.set_violations(f"the deliveries of partition {part}", set(folding.deliveries.values()), deliveries),
    ]


def _count(report: VerifyReport, folding: PartitionHistory) -> None:
    history = folding.history
    report.records += folding.records
    report.jobs += len(history.jobs)
    report.batches += len(history.batches)
    report.documents += len(folding.documents.documents)
    report.folders += len(folding.documents.folders)
    report.indexes += len(folding.indexed())
    report.endpoints += len(folding.endpoints.endpoints)
    report.deliveries += len(folding.deliveries)
    report.parked += len(folding.parked)
    report.late_starts += len(history.late_starts)
    report.open_jobs += sum(1 for job in history.jobs.values() if not job.status.terminal)
    report.hooks_due += sum(1 for violation in history.end_violations() if violation.invariant == "I4")
