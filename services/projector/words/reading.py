"""Reads the contents of noted jobs, and writes their words. Runs beside the readers of the log, which it never delays.

The notes are rows of `unread_jobs`, so nothing is lost at a stop or an outage. A note is removed in the transaction
that writes the words, and only as it was read: words of content that was erased meanwhile are never written.
"""

import asyncio
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from functools import partial

import structlog
from asyncpg import Connection

from piperoll.claimed_content import ClaimedContent
from piperoll.clock import happens_within
from piperoll.domain.job import CODEC, Job
from piperoll.domain.words import distinct_words
from piperoll.outages import StoppedWaitingError
from piperoll.store.blobs import BlobMissingError, BlobUnreadableError
from schemas.claims import Claim
from schemas.read_model_names import READ_SCHEMA
from services.projector import metrics
from services.projector.database.schema import queries
from services.projector.database.session import Session
from services.projector.database.values import columns, text
from services.projector.words.sources import MOST_WORDS, PARAMETERS_BYTES, RESULT_BYTES, words_of_job

log = structlog.get_logger()

PIECE = 200  # jobs of one transaction
AT_ONCE = 8  # contents: the readers of the log use the blob store too
PAUSE_S = 0.5  # while no job is noted


@dataclass(frozen=True, slots=True)
class Note:
    """A job whose content is to be read; `state` is the fold's JSON."""

    partition: int
    job_id: str
    sequence: int
    state: str


@dataclass(frozen=True, slots=True)
class ReadJob:
    """The words of a noted job, separated by spaces; its fields in the order of the statement's arrays."""

    partition: int
    job_id: str
    sequence: int
    words: str


def words_or_id(job: Job, parameters: bytes | None, result: bytes | None) -> list[str]:
    """Return the words of a job; those of its id alone, and log why, if its type, which may be a plug-in, or an odd
    content makes that fail: one job must not end the reading of all others."""
    try:
        return words_of_job(job, parameters, result)
    except Exception:
        log.exception("words_unreadable", job_id=job.job_id, job_type=job.job_type)
        return distinct_words([job.job_id], MOST_WORDS)


class WordReader:
    """Reads the words of the jobs of some partitions into the tables of `schema`."""

    def __init__(
        self,
        contents: ClaimedContent,
        session: Session,
        partitions: Callable[[], Collection[int]],
        schema: str = READ_SCHEMA,
    ) -> None:
        self._contents = contents
        self._session = session
        self._partitions = partitions
        self._sql = queries("words.sql", schema)
        self._turns = asyncio.Semaphore(AT_ONCE)

    async def run(self, stopping: asyncio.Event) -> None:
        """Read until stopped, and wait during outages."""
        try:
            while not stopping.is_set():
                if await self.step() < PIECE and await happens_within(stopping, PAUSE_S):
                    return
        except StoppedWaitingError:
            return  # the notes are still there

    async def step(self) -> int:
        """Read some noted jobs; return how many."""
        notes = await self._session.transaction(self._noted)
        if notes:
            read = await asyncio.gather(*map(self._read, notes))
            await self._session.transaction(partial(self._write, read))
        return len(notes)

    async def _noted(self, connection: Connection) -> list[Note]:
        rows = await connection.fetch(self._sql["unread"], list(self._partitions()), PIECE)
        return [Note(*row) for row in rows]

    async def _write(self, read: Sequence[ReadJob], connection: Connection) -> None:
        await connection.execute(self._sql["write_words"], *columns(read, ReadJob))

    async def _read(self, note: Note) -> ReadJob:
        job = CODEC.validate_json(note.state)
        async with self._turns:
            parameters = await self._content(job.parameters, PARAMETERS_BYTES)
            result = await self._content(job.result, RESULT_BYTES)
            words = await asyncio.to_thread(words_or_id, job, parameters, result)
        return ReadJob(note.partition, note.job_id, note.sequence, text(" ".join(words)))

    async def _content(self, claim: Claim | None, size: int) -> bytes | None:
        """Return the beginning of a content; None without one, and if it was erased or cannot be read."""
        if claim is None:
            return None
        try:
            return await self._contents.beginning(claim, size)
        except BlobMissingError:
            return None
        except BlobUnreadableError as error:
            metrics.unreadable("words", "words of a job", claim.uri, error)
            return None
