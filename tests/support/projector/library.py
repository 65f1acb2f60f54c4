"""A separate stack for documents: blobs, an appender, and projectors."""

import asyncio
import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import asyncpg

from piperoll.embedded.stack import Stack
from piperoll.log.dead_letters import DeadLetters
from piperoll.log.kafka import KafkaOffsets
from piperoll.log.producer import KafkaAppender
from piperoll.log.record import Record
from piperoll.outages import Outage
from piperoll.settings import Settings
from piperoll.store.blobs import AsyncBlobs, Blobs
from schemas.claims import Claim
from schemas.documents import DocumentDetails, FolderDetails
from schemas.envelope import Fact
from schemas.events import DocumentAdded, FolderCreated, JobCompleted, JobStarted
from schemas.topics import DOCUMENT_EVENTS, JOB_EVENTS
from services.projector.database.schema import create_tables
from services.projector.database.session import Session
from services.projector.documents.writer import DocumentWriter
from services.projector.jobs.writer import JobWriter
from services.projector.readers.topic_reader import ProjectorTopicReader, TopicWriter
from tests.support.files.indexes import put_index
from tests.support.histories.documents import added
from tests.support.histories.jobs import RUNS, claim, created, fact
from tests.support.stacks.projected import PARTITIONS, ProjectedLog

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
        writers: list[TopicWriter] = [
            JobWriter(self.blobs, outage, PARTITIONS, schema),
            DocumentWriter(self.blobs, outage, schema),
        ]
        readers = []
        for one in writers:
            session = Session(dsn, never)
            self._sessions.append(session)
            reader = ProjectorTopicReader(one, session, self.offsets, letters, schema)
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


Lanes = dict[tuple[str, int], list[Record]]
"""Records by topic and partition."""


@dataclass
class Projecting:
    """Readers over a separate schema; each subject stands in the partition that the test chooses."""

    library: Library
    schema: str
    jobs: ProjectorTopicReader
    documents: ProjectorTopicReader

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

    async def read(self, lanes: Lanes, seed: int | None = None) -> None:
        """Hands over all lanes, one whole after the other, or by a seed in polls that interleave."""
        draw = None if seed is None else random.Random(seed)
        left = [(topic, partition, list(records)) for (topic, partition), records in lanes.items()]
        while left := [lane for lane in left if lane[2]]:
            topic, partition, records = left[0] if draw is None else draw.choice(left)
            count = len(records) if draw is None else draw.randint(1, len(records))
            reader = self.jobs if topic == JOB_EVENTS.name else self.documents
            await reader.handle(partition, records[:count])
            del records[:count]
