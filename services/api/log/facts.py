"""Appends facts to a topic, with the answer when Kafka does not acknowledge one."""

from typing import NamedTuple

from piperoll.clock import Clock
from piperoll.log.contract import Appender, OutcomeUnknownError
from piperoll.log.record import Position
from schemas.envelope import Fact
from schemas.errors import ErrorCode
from schemas.events import Event
from schemas.ids import event_id
from schemas.topics import Topic
from services.api.http.caller import Caller
from services.api.http.errors import UnavailableError

SOURCE = "api"


class Appended(NamedTuple):
    """A fact and its position in the log."""

    fact: Fact
    position: Position


class FactLog:
    """The API's writer of one topic."""

    def __init__(self, log: Appender, topic: Topic, clock: Clock, deadline_s: float) -> None:
        self._log = log
        self._topic = topic
        self._clock = clock
        self._deadline_s = deadline_s

    async def append(
        self, subject: str, scope: str, event: Event, caller: Caller, remedy: str, named: str = "id"
    ) -> Appended:
        """Append an event as a fact. Its id derives from `scope`: the subject's id if a repeat is the same fact.

        Raises UnavailableError OUTCOME_UNKNOWN (503) when Kafka does not acknowledge in time: its message ends with
        `remedy`, and its details hold the subject under the key `named`.
        """
        fact = Fact(
            id=event_id(scope, type(event).__name__),
            subject=subject,
            owner=caller.owner,
            time=self._clock(),
            source=SOURCE,
            data=event,
            traceparent=caller.traceparent,
        )
        try:
            return Appended(fact, await self._log.append(self._topic, fact, self._deadline_s))
        except OutcomeUnknownError as error:
            raise UnavailableError(
                ErrorCode.OUTCOME_UNKNOWN,
                f"Kafka did not acknowledge in time, so the outcome is unknown: {remedy}",
                {named: subject},
            ) from error
