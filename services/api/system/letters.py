"""The dead letters of the installation, read on from where the last look ended, and the way back for one of them."""

import asyncio
from collections import defaultdict, deque
from contextlib import aclosing
from uuid import uuid4

from aiokafka.errors import KafkaError

from piperoll.log.contract import LogView, LogWriter, OutcomeUnknownError
from piperoll.log.dead_letters import SETTLED, DeadLetter, read_letter
from piperoll.log.record import Record
from piperoll.log.redriving import RedriveRefusedError, Redriving, Waiting, of_key
from schemas.errors import ErrorCode
from schemas.events import RedriveRequested
from schemas.topics import DEAD_LETTERS
from services.api.http.caller import Caller
from services.api.http.errors import ReadModelUnavailableError, UnavailableError, conflict, not_found
from services.api.log.facts import FactLog
from services.api.system.reasons import reason_of
from services.api.system.views import Json, id_of, letter_id

MOST = 2000
"""Letters that are kept of a partition, the newest."""
LOOK_S = 3.0
WHOLE_S = 20.0
"""The longest that all letters are read for a redrive."""
BY = "piperoll api"


class Letters:
    """What the dead-letter topic has, without the records' contents. Each look reads what is new."""

    def __init__(self, view: LogView, writer: LogWriter, audit: FactLog) -> None:
        self._view = view
        self._redriving = Redriving(view, writer, BY)
        self._audit = audit
        self._next: dict[int, int] = {}
        self._kept: dict[int, deque[tuple[int, DeadLetter]]] = defaultdict(deque)  # with the offset of each letter
        self._left_out = False
        self._looking = asyncio.Lock()
        self._acting = asyncio.Lock()

    async def waiting(self) -> tuple[list[Waiting], bool]:
        """Return the records that wait for a decision, and whether these are all.

        Raises ReadModelUnavailableError while Kafka is away, and while the letters are still being read: the next look
        goes on.
        """
        try:
            async with self._looking, asyncio.timeout(LOOK_S):
                await self._read_on()
                return await self._redriving.among(self._letters()), not self._left_out
        except TimeoutError as error:
            raise ReadModelUnavailableError("the dead letters are not read to their end yet: try again") from error
        except (KafkaError, OSError) as error:
            raise ReadModelUnavailableError(reason_of(error)) from error

    async def redrive(self, name: str, caller: Caller) -> Json:
        """Put a record and all other parked records of its key back; a repeat changes nothing.

        Raises ApiError: NOT_FOUND (404), CONFLICT (409) for a stopped partition and for a record that cannot be used
        yet, READ_MODEL_UNAVAILABLE and OUTCOME_UNKNOWN (503).
        """
        async with self._acting:
            found = await self._all_waiting()
            one = next((other for other in found if id_of(other) == name), None)
            if one is None:
                return self._settled(name)
            if one.stopped:
                raise conflict(
                    "a partition is stopped at this record: deploy the release that knows the event, or skip it with "
                    "`piperoll dead-letters skip`"
                )
            asked = RedriveRequested(topic=one.topic, position=str(one.position))
            await self._audit.append(caller.key_id, uuid4().hex, asked, caller, "nothing was put back, try again")
            return {"id": name, "put_back": await self._put_back(of_key(found, one))}

    async def _all_waiting(self) -> list[Waiting]:
        """Return every record that waits: of a key, those before the kept letters too, since the order counts.

        Raises ReadModelUnavailableError.
        """
        found, complete = await self.waiting()
        if complete:
            return found
        try:
            async with asyncio.timeout(WHOLE_S):
                return await self._redriving.waiting()
        except TimeoutError as error:
            raise ReadModelUnavailableError(
                "the dead letters are too many to be read in time: use `piperoll dead-letters redrive`"
            ) from error
        except (KafkaError, OSError) as error:
            raise ReadModelUnavailableError(reason_of(error)) from error

    async def _put_back(self, ones: list[Waiting]) -> list[str]:
        try:
            done = await self._redriving.redrive(ones)
        except RedriveRefusedError as error:
            raise conflict(str(error)) from error
        except (OutcomeUnknownError, KafkaError, OSError) as error:
            message = "Kafka did not acknowledge in time, so the outcome is unknown: try again, it is harmless"
            raise UnavailableError(ErrorCode.OUTCOME_UNKNOWN, message) from error
        return [letter_id(ones[0].topic, position) for position in done.put_back]

    def _settled(self, name: str) -> Json:
        """The answer for a record that was put back, or left out, before. Raises ApiError NOT_FOUND (404)."""
        for one in self._letters():
            if one.kind == SETTLED and letter_id(one.topic, one.position) == name:
                return {"id": name, "put_back": []}
        raise not_found("dead letter")

    def _letters(self) -> list[DeadLetter]:
        return [letter for kept in self._kept.values() for _, letter in kept]

    async def _read_on(self) -> None:
        begin, end = await self._view.begin_offsets(DEAD_LETTERS), await self._view.end_offsets(DEAD_LETTERS)
        for part, first in begin.items():
            wanted = max(first, end[part] - MOST)
            self._left_out |= wanted > self._next.get(part, first)
            self._next[part] = max(wanted, self._next.get(part, wanted))
            self._forget(part, first)
        async with aclosing(self._view.scan(DEAD_LETTERS, dict(self._next), end)) as polls:
            async for records in polls:
                for record in records:
                    self._take(record)
        self._next.update(end)

    def _take(self, record: Record) -> None:
        kept = self._kept[record.partition]
        if (letter := read_letter(record)) is not None:
            kept.append((record.offset, letter))
        if len(kept) > MOST:
            kept.popleft()
            self._left_out = True
        self._next[record.partition] = record.offset + 1

    def _forget(self, partition: int, first: int) -> None:
        """Drop letters that the topic no longer keeps."""
        kept = self._kept[partition]
        while kept and kept[0][0] < first:
            kept.popleft()
