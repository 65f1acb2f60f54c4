"""Dead letters: records that can never be decoded, kept unchanged with their position and the reason."""

from datetime import UTC, datetime

from piperoll.log.contract import RawAppender
from piperoll.log.record import Record
from schemas.topics import DEAD_LETTERS


class DeadLetters:
    """Appends undecodable records to the dead-letter topic, under their own key."""

    def __init__(self, appender: RawAppender) -> None:
        self._appender = appender

    async def park(self, consumer: str, record: Record, why: str) -> None:
        """Append one record unchanged, with the reader's name, its position and the reason as headers. At least once"""
        origin = {
            "piperoll_consumer": consumer,
            "piperoll_topic": record.topic,
            "piperoll_position": str(record.position),
            "piperoll_reason": why[:1000],
            "piperoll_parked_at": datetime.now(UTC).isoformat(),
        }
        headers = [*record.headers, *((name, text.encode()) for name, text in origin.items())]
        await self._appender.append_raw(DEAD_LETTERS, record.key, record.value, headers)
