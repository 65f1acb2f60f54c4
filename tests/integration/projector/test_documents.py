"""The tables of documents, folders and what is searched, on a real Kafka and Postgres: whatever the order, the same."""

import asyncio
import random
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any
from uuid import uuid4

import asyncpg
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from piperoll.embedded.stack import Stack
from piperoll.log.dead_letters import DeadLetters
from piperoll.log.kafka import KafkaOffsets
from piperoll.log.producer import KafkaAppender
from piperoll.log.record import Record
from piperoll.outages import Outage
from piperoll.settings import Settings
from piperoll.store.blobs import AsyncBlobs, Blobs
from piperoll.store.document_paths import index_part
from schemas.claims import Claim
from schemas.documents import DocumentDetails, FolderDetails, FolderIndex
from schemas.envelope import Fact
from schemas.events import DocumentAdded, FolderCreated, JobCompleted, JobErased, JobStarted
from schemas.ids import draw_document_id, draw_folder_id, draw_job_id
from schemas.topics import DOCUMENT_EVENTS, JOB_EVENTS
from services.projector.documents.tables import DocumentTables
from services.projector.jobs.tables import JobTables
from services.projector.readers.topic_reader import TableReader, Tables
from services.projector.rebuild import rebuild
from services.projector.search.vectors import MOST_DIMENSIONS
from services.projector.tables.schema import VectorsMissingError, create_tables
from services.projector.tables.session import Session
from services.projector.verify.run import VerifyReport, verify
from tests.support.files.indexes import chunks_of, put_index
from tests.support.histories.documents import CLOSED, REMOVED, added, libraries, moved
from tests.support.histories.jobs import OWNER, RUNS, claim, created, fact, record
from tests.support.stacks.projected import PARTITIONS, ProjectedLog, opened
from tests.support.waiting import PATIENCE_S, wait_until

ORDERS = {
    "documents": "document_id",
    "folders": "folder_id",
    "folder_members": "folder_id, document_id",
    "index_jobs": "job_id",
    "folder_indexes": "folder_id",
    "chunks": "job_id, position",
}


class Library(ProjectedLog):
    """A separate stack: blobs, an appender, and projectors, each over a separate schema."""

    topics = (JOB_EVENTS, DOCUMENT_EVENTS)

    def __init__(self, stack: Stack, settings: Settings, appender: KafkaAppender, offsets: KafkaOffsets) -> None:
        super().__init__(stack, settings, appender, offsets)
        self.sync_blobs = Blobs(settings.blob_url)
        self.blobs = AsyncBlobs(self.sync_blobs)
        self._sessions: list[Session] = []

    async def tables(self, schema: str = "read_v1") -> dict[str, list[str]]:
        """Every row of the tables of documents and of what is searched."""
        return {
            table: [row[0] for row in await self.statement(f"SELECT t::text FROM {schema}.{table} t ORDER BY {order}")]
            for table, order in ORDERS.items()
        }

    async def projecting(self, schema: str | None = None) -> "Projecting":
        """Readers over empty tables, to be handed polls from offset 0 on; or more of them over those of `schema`."""
        if schema is None:
            await self.disconnect()
        schema = schema or f"s_{uuid4().hex[:12]}"
        dsn = self.settings.postgres_dsn.get_secret_value()
        connection = await asyncpg.connect(dsn)
        await create_tables(connection, schema)
        await connection.close()
        never = asyncio.Event()
        letters, outage = DeadLetters(self.appender), Outage("the blob store", never)
        tables: list[Tables] = [
            JobTables(self.blobs, outage, PARTITIONS, schema),
            DocumentTables(self.blobs, outage, schema),
        ]
        readers = []
        for one in tables:
            session = Session(dsn, never)
            self._sessions.append(session)
            reader = TableReader(one, session, self.offsets, letters, schema)
            await reader.assigned(set(range(PARTITIONS)))
            await reader.revoked(set(range(PARTITIONS)))  # polls are handed over by the test, from offset 0
            readers.append(reader)
        await self.statement(f"UPDATE {schema}.checkpoints SET next_offset = 0")
        return Projecting(self, schema, *readers)

    def index(self, folder_id: str, job_id: str, documents: Sequence[str], dimensions: int = 3) -> Claim:
        """The blob of an index with two chunks of each document, its numbers drawn from the job's id."""
        draw = random.Random(job_id)
        documents_with = {
            document_id: [
                (f"{job_id} on {document_id}, {number}", [draw.random() for _ in range(dimensions)])
                for number in range(2)
            ]
            for document_id in documents
        }
        return put_index(self.sync_blobs, job_id, RUNS[0], folder_id, f"model-{dimensions}", dimensions, documents_with)

    def embedding(self, job_id: str, second: int, index: Claim) -> list[Fact]:
        """The life of an embedding job that was created `second` seconds into the history."""
        done = JobCompleted(run=RUNS[0], result=claim(f"{job_id}/result"), index=index)
        life = [created(), JobStarted(number=1, run=RUNS[0], worker="worker-0"), done]
        return [fact(job_id, data, second + late) for late, data in enumerate(life)]

    def document(self, document_id: str, name: str) -> DocumentAdded:
        """A document whose details lie in the blob store."""
        details = DocumentDetails(name=name, source=f"https://example.org/{name}")
        return added("1", self.sync_blobs.put(f"documents/{document_id}/details", details.model_dump_json().encode()))

    def folder(self, folder_id: str, name: str) -> FolderCreated:
        """A folder whose details lie in the blob store."""
        details = FolderDetails(name=name, description="of this year")
        where = self.sync_blobs.put(f"folders/{folder_id}/details", details.model_dump_json().encode())
        return FolderCreated(details=where, chunk_size=300)

    async def append(self, *facts: Fact) -> None:
        """Appends facts one after the other, each where it belongs."""
        for one in facts:
            topic = JOB_EVENTS if one.subject.startswith("job-") else DOCUMENT_EVENTS
            await self.appender.append(topic, one)

    async def disconnect(self) -> None:
        """Closes idle connections; a client that is used again connects again."""
        for session in self._sessions:
            await session.close()

    async def close(self) -> None:
        await self.disconnect()
        await asyncio.to_thread(self.blobs.close)


@dataclass
class Projecting:
    """Readers over a separate schema; each subject stands in the partition that the test chooses."""

    library: Library
    schema: str
    jobs: TableReader
    documents: TableReader

    async def tables(self) -> dict[str, list[str]]:
        return await self.library.tables(self.schema)

    async def rows(self, table: str) -> list[dict[str, Any]]:
        found = await self.library.statement(f"SELECT * FROM {self.schema}.{table} ORDER BY {ORDERS[table]}")
        return [dict(row) for row in found]

    async def chunks(self) -> set[tuple[str, str, int]]:
        """Of each chunk its job, document and number."""
        return {
            (row["job_id"], row["document_id"], row["number"])
            for row in await self.library.statement(f"SELECT job_id, document_id, number FROM {self.schema}.chunks")
        }

    async def read(self, lanes: "Lanes", seed: int | None = None) -> None:
        """Hands over all lanes, one whole after the other, or by a seed in polls that interleave."""
        draw = None if seed is None else random.Random(seed)
        left = [(topic, partition, list(records)) for (topic, partition), records in lanes.items()]
        while left := [lane for lane in left if lane[2]]:
            topic, partition, records = left[0] if draw is None else draw.choice(left)
            count = len(records) if draw is None else draw.randint(1, len(records))
            reader = self.jobs if topic == JOB_EVENTS.name else self.documents
            await reader.handle(partition, records[:count])
            del records[:count]


Lanes = dict[tuple[str, int], list[Record]]
"""Records by topic and partition."""


def lanes_of(*lives: Sequence[Fact]) -> Lanes:
    """Each life in the next partition of its topic."""
    lanes: Lanes = {}
    for number, life in enumerate(lives):
        topic = JOB_EVENTS if life[0].subject.startswith("job-") else DOCUMENT_EVENTS
        lane = lanes.setdefault((topic.name, number % PARTITIONS), [])
        lane += [record(one, number % PARTITIONS, len(lane) + offset, topic) for offset, one in enumerate(life)]
    return lanes


@pytest.fixture(scope="module")
async def library(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Library]:
    async with opened(tmp_path_factory.mktemp("stack"), Library) as library:
        yield library
        await library.close()


def sentences(report: VerifyReport) -> str:
    return "\n".join(str(violation) for violation in report.violations)


# --- rows ----------------------------------------------------------------------------------------------------------


@hypothesis_settings(max_examples=15)  # each fills two schemas
@given(libraries(), st.lists(st.integers(0, 30), max_size=3).map(sorted))
async def test_any_split_into_polls_gives_the_same_rows(library: Library, facts: list[Fact], cuts: list[int]) -> None:
    records = [record(one, 0, offset, DOCUMENT_EVENTS) for offset, one in enumerate(facts)]
    whole, split = await library.projecting(), await library.projecting()
    for one in records:
        await whole.documents.handle(0, [one])
    for begin, end in pairwise([0, *cuts, 1000]):
        if records[begin:end]:
            await split.documents.handle(0, records[begin:end])
    assert await split.tables() == await whole.tables()


async def test_a_poll_handed_over_again_changes_nothing(library: Library) -> None:
    projecting = await library.projecting()
    facts = [
        fact("folder-a", library.folder("folder-a", "Reports")),
        fact("folder-a", moved(("doc-a", "doc-b")), 1),
        fact("folder-a", moved((), ("doc-a",)), 2),
        fact("doc-a", library.document("doc-a", "a.pdf"), 3),
    ]
    records = [record(one, 0, offset, DOCUMENT_EVENTS) for offset, one in enumerate(facts)]
    await projecting.documents.handle(0, records)
    before = await projecting.tables()
    await projecting.documents.revoked({0})
    await projecting.documents.handle(0, records)
    assert await projecting.tables() == before
    (row,) = await projecting.rows("documents")
    assert (row["name"], row["source"], row["size"]) == ("a.pdf", "https://example.org/a.pdf", 1)
    (folder,) = await projecting.rows("folders")
    assert (folder["name"], folder["description"], folder["chunk_size"]) == ("Reports", "of this year", 300)
    assert [one["document_id"] for one in await projecting.rows("folder_members")] == ["doc-b"]


async def test_a_name_stays_when_its_details_are_gone_and_goes_with_its_document(library: Library) -> None:
    projecting = await library.projecting()
    first = library.document("doc-a", "a.pdf")
    await projecting.documents.handle(0, [record(fact("doc-a", first), 0, 0, DOCUMENT_EVENTS)])
    library.sync_blobs.delete([first.details.uri])
    again = [fact("doc-b", added("1", first.details), 1), fact("doc-a", added("1", first.details), 1)]
    await projecting.documents.handle(0, [record(one, 0, 1 + at, DOCUMENT_EVENTS) for at, one in enumerate(again)])
    assert [row["name"] for row in await projecting.rows("documents")] == ["a.pdf", None]
    await projecting.documents.handle(0, [record(fact("doc-a", REMOVED, 2), 0, 3, DOCUMENT_EVENTS)])
    removed, _ = await projecting.rows("documents")
    assert (removed["removed"], removed["name"], removed["size"]) == (True, None, None)


async def test_a_listener_is_notified_of_positions_of_documents(library: Library) -> None:
    projecting = await library.projecting()
    heard: list[object] = []
    listener = await asyncpg.connect(library.settings.postgres_dsn.get_secret_value())
    await listener.add_listener(f"piperoll_{projecting.schema}", lambda *notification: heard.append(notification[-1]))
    await projecting.documents.handle(2, [record(fact("doc-a", added()), 2, 0, DOCUMENT_EVENTS)])
    await wait_until(lambda: heard, 5, "the notification")
    await listener.close()
    assert heard == ["documents:2:1"]


# --- what is searched ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(8))
async def test_the_newest_index_is_loaded_in_whatever_order_partitions_are_read(library: Library, seed: int) -> None:
    """Two jobs of one moment and an older one; documents and another folder are removed meanwhile."""
    names = [f"job-{uuid4()}" for _ in range(4)]
    both = ["doc-a", "doc-b"]
    of_folder = {name: library.index("folder-a", name, both, 2 + number) for number, name in enumerate(names[:3])}
    other = library.index("folder-b", names[3], ["doc-c"])
    lanes = lanes_of(
        library.embedding(names[0], 5, of_folder[names[0]]),
        library.embedding(names[1], 10, of_folder[names[1]]),
        library.embedding(names[2], 10, of_folder[names[2]]),
        [*library.embedding(names[3], 3, other)],
        [fact("doc-a", added()), fact("doc-b", added()), fact("doc-b", REMOVED, 1)],
        [fact("folder-b", library.folder("folder-b", "Other")), fact("folder-b", CLOSED, 1)],
    )
    plain, shuffled = await library.projecting(), await library.projecting()
    await plain.read(lanes)
    await shuffled.read(lanes, seed)
    assert await shuffled.tables() == await plain.tables()
    newest = max(names[1:3])
    assert await shuffled.chunks() == {(newest, "doc-a", 0), (newest, "doc-a", 1)}
    (loaded,) = await shuffled.rows("folder_indexes")
    assert (loaded["folder_id"], loaded["job_id"], loaded["chunks"]) == ("folder-a", newest, 4)


@pytest.mark.parametrize("seed", range(8))
async def test_an_erased_index_gives_way_to_the_one_before_it(library: Library, seed: int) -> None:
    older, newer = f"job-{uuid4()}", f"job-{uuid4()}"
    lanes = lanes_of(
        library.embedding(older, 5, library.index("folder-a", older, ["doc-a"])),
        [
            *library.embedding(newer, 10, library.index("folder-a", newer, ["doc-a"])),
            fact(newer, JobErased(by=OWNER), 20),
        ],
    )
    live = await library.projecting()
    await live.read(lanes, seed)
    assert await live.chunks() == {(older, "doc-a", 0), (older, "doc-a", 1)}
    library.sync_blobs.delete_folder(newer)
    again = await library.projecting()
    await again.read(lanes)
    assert await again.tables() == await live.tables()


async def test_erasing_the_only_index_leaves_nothing_of_it(library: Library) -> None:
    projecting, job_id = await library.projecting(), f"job-{uuid4()}"
    life = library.embedding(job_id, 5, library.index("folder-a", job_id, ["doc-a"]))
    await projecting.read(lanes_of([*life, fact(job_id, JobErased(by=OWNER), 20)]))
    tables = await projecting.tables()
    assert [tables[name] for name in ("chunks", "folder_indexes", "index_jobs")] == [[], [], []]


async def test_an_index_that_is_gone_or_of_no_use_is_passed_over(library: Library) -> None:
    projecting = await library.projecting()
    large = MOST_DIMENSIONS + 1
    claims = [
        claim("job-gone/index"),
        library.sync_blobs.put("job-bad/index", b"not json"),
        put_index(library.sync_blobs, "job-large", RUNS[0], "folder-a", "m", large, {}),
    ]
    lives = [library.embedding(f"job-{number}", number, where) for number, where in enumerate(claims)]
    await projecting.read(lanes_of(*lives))
    assert (await projecting.tables())["index_jobs"] == []
    jobs = await library.statement(f"SELECT status FROM {projecting.schema}.jobs")
    assert [row["status"] for row in jobs] == ["completed"] * 3


async def test_a_document_whose_chunks_are_gone_or_of_no_use_is_left_out(library: Library) -> None:
    projecting, job_id = await library.projecting(), f"job-{uuid4()}"
    good, bad = ("A text", (1.0, 2.0, 3.0)), ("A text", (1.0, 2.0))
    documents = {"doc-gone": [good], "doc-broken": [good], "doc-bad": [good, bad], "doc-good": [good, good]}
    where = put_index(library.sync_blobs, job_id, RUNS[0], "folder-a", "m", 3, documents)
    library.sync_blobs.delete([index_part(job_id, RUNS[0], "doc-gone")])
    library.sync_blobs.replace(index_part(job_id, RUNS[0], "doc-broken"), b"not json")
    await projecting.read(lanes_of(library.embedding(job_id, 5, where)))
    assert await projecting.chunks() == {(job_id, "doc-good", 0), (job_id, "doc-good", 1)}
    positions = await library.statement(f"SELECT position FROM {projecting.schema}.chunks ORDER BY position")
    assert [row["position"] for row in positions] == [4, 5], "each chunk keeps its place"


async def test_vectors_are_those_of_the_index(library: Library) -> None:
    projecting, job_id = await library.projecting(), f"job-{uuid4()}"
    where = library.index("folder-a", job_id, ["doc-a"], 4)
    index = FolderIndex.model_validate_json(library.sync_blobs.get(where.uri))
    await projecting.read(lanes_of(library.embedding(job_id, 5, where)))
    rows = await library.statement(
        f"SELECT text, embedding::real[] AS vector FROM {projecting.schema}.chunks ORDER BY position"
    )
    chunks = [chunk for _, chunk in chunks_of(library.sync_blobs, index)]
    assert [row["text"] for row in rows] == [chunk.text for chunk in chunks]
    for row, chunk in zip(rows, chunks, strict=True):
        assert row["vector"] == pytest.approx(chunk.vector, rel=1e-6)


async def test_projectors_that_load_and_remove_at_once_neither_block_nor_leave_anything(library: Library) -> None:
    """The readers of one set of tables in several processes: jobs of one folder, and its documents going."""
    first = await library.projecting()
    hands = [first, *[await library.projecting(first.schema) for _ in range(PARTITIONS - 1)]]
    documents = [f"doc-{number}" for number in range(10)]
    names = [f"job-{uuid4()}" for _ in range(12)]
    lives = [library.embedding(name, at, library.index("folder-a", name, documents)) for at, name in enumerate(names)]
    removals = [[fact(one, added()), fact(one, REMOVED, 1)] for one in documents[1:]]
    plain = await library.projecting()
    lanes = lanes_of(*lives, *removals)
    await plain.read(lanes)

    async def run(reader: TableReader, partition: int, records: list[Record]) -> None:
        for one in records:
            await reader.handle(partition, [one])

    async with asyncio.timeout(PATIENCE_S):
        await asyncio.gather(
            *(
                run(hands[part].jobs if topic == JOB_EVENTS.name else hands[part].documents, part, records)
                for (topic, part), records in lanes.items()
            )
        )
    assert await first.tables() == await plain.tables()
    assert await first.chunks() == {(names[-1], "doc-0", 0), (names[-1], "doc-0", 1)}


# --- the service ---------------------------------------------------------------------------------------------------


async def test_what_was_appended_is_projected_and_verified_and_a_rebuild_gives_the_same(library: Library) -> None:
    folder_id, (kept, gone) = draw_folder_id(), (draw_document_id(), draw_document_id())
    older, newer, erased = draw_job_id(), draw_job_id(), draw_job_id()
    async with library.projector() as lifetime:
        await library.append(
            fact(folder_id, library.folder(folder_id, "Reports")),
            fact(kept, library.document(kept, "kept.pdf")),
            fact(gone, library.document(gone, "gone.pdf")),
            fact(folder_id, moved((kept, gone)), 1),
            *library.embedding(newer, 10, library.index(folder_id, newer, [kept, gone])),
            *library.embedding(older, 5, library.index(folder_id, older, [kept, gone])),
            *library.embedding(erased, 15, library.index(folder_id, erased, [kept, gone])),
            fact(gone, REMOVED, 20),
            fact(erased, JobErased(by=OWNER), 20),
        )
        await library.caught_up()
        assert lifetime.problems() == {}
        library.sync_blobs.delete_folder(erased)  # as the worker does
        report = await verify(library.settings)
    assert report.holds, sentences(report)
    assert (report.documents, report.folders, report.indexes) == (2, 1, 2)
    live = await library.tables()
    assert len(live["chunks"]) == 2
    await rebuild(library.settings)
    assert await library.tables() == live
    again = await verify(library.settings)
    assert again.holds, sentences(again)


async def test_each_fault_in_the_tables_is_found_and_all_are_mended_by_a_rebuild(library: Library) -> None:
    folder_id, other, document_id, removed = draw_folder_id(), draw_folder_id(), draw_document_id(), draw_document_id()
    older, newer, alone = draw_job_id(), draw_job_id(), draw_job_id()
    async with library.projector():
        await library.append(
            fact(folder_id, library.folder(folder_id, "Reports")),
            fact(other, library.folder(other, "Others")),
            fact(document_id, library.document(document_id, "a.pdf")),
            fact(removed, library.document(removed, "b.pdf")),
            fact(removed, REMOVED, 1),
            fact(folder_id, moved((document_id,)), 1),
            *library.embedding(older, 5, library.index(folder_id, older, [document_id])),
            *library.embedding(newer, 10, library.index(folder_id, newer, [document_id])),
            *library.embedding(alone, 10, library.index(other, alone, [document_id])),
        )
        await library.caught_up()
    faults = [
        (f"UPDATE read_v1.documents SET revision = '9' WHERE document_id = '{document_id}'", "has revision '9'"),
        (f"UPDATE read_v1.documents SET name = 'b' WHERE document_id = '{removed}'", f"{removed} has name 'b'"),
        (f"DELETE FROM read_v1.folders WHERE folder_id = '{other}'", f"{other} is in the log and not in the tables"),
        ("INSERT INTO read_v1.folder_members VALUES ('folder-x', 'doc-x', now())", "doc-x is an entry row"),
        (f"UPDATE read_v1.folder_members SET added_at = now() WHERE folder_id = '{folder_id}'", "folder members of"),
        (f"UPDATE read_v1.chunks SET text = 'x' WHERE job_id = '{newer}' AND position = 0", f"chunks of {newer}"),
        (f"UPDATE read_v1.chunks SET document_id = '{removed}' WHERE job_id = '{alone}'", "still has chunks"),
        (f"DELETE FROM read_v1.index_jobs WHERE job_id = '{older}'", f"{older} has an index in the log"),
        (f"DELETE FROM read_v1.folder_indexes WHERE folder_id = '{other}'", f"{alone} has chunks in the tables"),
    ]
    for change, _ in faults:
        await library.statement(change)
    found = sentences(await verify(library.settings))
    for _, sentence in faults:
        assert sentence in found
    assert f"{other} has the index of no job loaded, not {alone}'s" in found
    await rebuild(library.settings)
    mended = await verify(library.settings)
    assert mended.holds, sentences(mended)


async def test_a_checkpoint_of_documents_beyond_the_log_is_found(library: Library) -> None:
    await library.append(fact(draw_document_id(), added()))
    async with library.projector():
        await library.caught_up()
    await library.statement(
        "UPDATE read_v1.checkpoints SET next_offset = next_offset + 1000000 WHERE topic = $1", DOCUMENT_EVENTS.name
    )
    report = await verify(library.settings)
    assert {violation.invariant for violation in report.violations} == {"I8"}
    await rebuild(library.settings)
    assert (await verify(library.settings)).holds


async def test_a_role_that_may_not_create_the_extension_gets_an_instruction(library: Library) -> None:
    name = f"plain_{uuid4().hex[:8]}"
    await library.statement(f"CREATE ROLE {name} LOGIN PASSWORD 'of a test'")
    await library.statement(f"CREATE DATABASE {name} OWNER {name}")
    postgres = library.stack.postgres
    connection = await asyncpg.connect(postgres.dsn(name), user=name, password="of a test")
    with pytest.raises(VectorsMissingError, match="CREATE EXTENSION vector"):
        await create_tables(connection, "read_v1")
    await connection.close()
    administrator = await asyncpg.connect(postgres.dsn(name))
    await administrator.execute("CREATE EXTENSION vector")
    await administrator.close()
    connection = await asyncpg.connect(postgres.dsn(name), user=name, password="of a test")
    await create_tables(connection, "read_v1")
    await connection.close()
