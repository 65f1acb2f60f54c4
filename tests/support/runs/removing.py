"""The process manager of removal over a log in memory, with restarts and crashes."""

import asyncio
import random

from piperoll.clock import utc_now
from piperoll.log.dead_letters import DeadLetters
from piperoll.store import document_paths as documents
from piperoll.store.blobs import AsyncBlobs
from schemas.claims import Claim
from schemas.documents import DocumentDetails
from schemas.envelope import Fact
from schemas.events import DocumentAdded, Event, JobErased
from schemas.topics import DOCUMENT_EVENTS, JOB_EVENTS
from services.worker.removal.checkpoint import RemovalCheckpoints
from services.worker.removal.reader import RemovalReader
from services.worker.removal.remover import Remover
from tests.support.memory_log import MemoryLog
from tests.support.waiting import wait_until

OWNER = "acme"


class Removing:
    """A worker's process manager of removal. `restart` begins a new one over the same log and store."""

    def __init__(self, log: MemoryLog, blobs: AsyncBlobs) -> None:
        self.log = log
        self.blobs = blobs
        self.read_from: dict[int, int] = {}
        self._begin()

    def _begin(self) -> None:
        self.stopping = asyncio.Event()
        self.remover = Remover(self.log, self.blobs, utc_now, random.Random(1))
        checkpoints = RemovalCheckpoints(self.blobs, "memory", "removal")
        self.reader = RemovalReader(self.remover, checkpoints, self.log, DeadLetters(self.log), self.stopping)
        self.task = asyncio.create_task(self.remover.run(self.stopping))

    async def start(self) -> None:
        """Take over the partitions and read what is new. `read_from` are the offsets that the reader begins with."""
        self.read_from = await self.log.subscribe(DOCUMENT_EVENTS, self.reader)
        await self.log.deliver()

    async def give_back(self) -> None:
        """Give the partitions back in good order, and end the process; another one can begin."""
        await self.log.unsubscribe(DOCUMENT_EVENTS, self.reader)
        await self.stop()
        self._begin()

    async def restart(self) -> None:
        """The same, and begin with another process."""
        await self.give_back()
        await self.start()

    async def stop(self) -> None:
        self.stopping.set()
        await self.task

    async def append(self, subject: str, event: Event, number: int = 0) -> None:
        """A fact of a document or folder, which the process manager reads."""
        one = Fact(id=f"{subject}-{number}", subject=subject, owner=OWNER, time=utc_now(), source="api", data=event)
        await self.log.append(DOCUMENT_EVENTS, one)
        await self.log.deliver()

    async def gone(self, subject: str) -> None:
        """Wait until nothing of a document or folder is left."""

        async def empty() -> bool:
            return not await self.blobs.names(documents.content_of(subject))

        await wait_until(empty, 5, f"the content of {subject} to be gone")

    async def settled(self) -> None:
        """Wait until nothing is due."""
        await wait_until(lambda: self.reader.due == 0, 5, "all removals to be carried out")

    async def erased(self) -> list[str]:
        """The jobs that the log has erasures of."""
        begin, end = await self.log.begin_offsets(JOB_EVENTS), await self.log.end_offsets(JOB_EVENTS)
        facts = [record.fact() for record in await self.log.read_range(JOB_EVENTS, begin, end)]
        return [fact.subject for fact in facts if isinstance(fact.data, JobErased)]


async def store_document(blobs: AsyncBlobs, document_id: str, content: bytes = b"content") -> DocumentAdded:
    """The blobs of a document, and the fact that names them."""
    claim = await blobs.put(documents.folder_of(document_id), content, "text/plain")
    details = await blobs.put(
        documents.details_of(document_id), DocumentDetails(name="a.txt").model_dump_json().encode()
    )
    return DocumentAdded(content=claim, details=details, revision=claim.sha256)


async def store_folder(blobs: AsyncBlobs, folder_id: str, name: bytes = b'{"name": "A"}') -> Claim:
    return await blobs.put(documents.folder_details_of(folder_id), name)
