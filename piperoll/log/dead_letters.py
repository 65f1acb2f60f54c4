"""Where records go that cannot be decoded and never will be: kept whole, with where they stood and why."""

from datetime import UTC, datetime

from piperoll.log.contract import RawAppender
from piperoll.log.record import Record
from schemas.topics import DEAD_LETTERS


class DeadLetters:
    """Appends undecodable records to the dead-letter topic, under their own key."""

    def __init__(self, appender: RawAppender) -> None:
        self._appender = appender

    async def park(self, consumer: str, record: Record, why: str) -> None:
        """Keeps one record: its bytes and headers as they were, and the reader's name, place and reason beside.

        At least once: a reader that dies before it stores its position parks the record again.
        """
        origin = {
            "piperoll_consumer": consumer,
            "piperoll_topic": record.topic,
            "piperoll_position": str(record.position),
            "piperoll_reason": why[:1000],
            "piperoll_parked_at": datetime.now(UTC).isoformat(),
        }
        headers = [*record.headers, *((name, text.encode()) for name, text in origin.items())]
        await self._appender.append_raw(DEAD_LETTERS, record.key, record.value, headers)
