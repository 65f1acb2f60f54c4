"""How requests append facts to a topic, and the answer when Kafka does not acknowledge one."""

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


class FactLog:
    """One topic, as the API writes to it."""

    def __init__(self, log: Appender, topic: Topic, clock: Clock, deadline_s: float) -> None:
        self._log = log
        self._topic = topic
        self._clock = clock
        self._deadline_s = deadline_s

    async def append(
        self, subject: str, scope: str, event: Event, caller: Caller, remedy: str, named: str = "id"
    ) -> tuple[Fact, Position]:
        """The fact, and where it stands. `scope` makes its id: the subject's own where a repeat is the same fact.

        Raises UnavailableError OUTCOME_UNKNOWN (503) when Kafka does not acknowledge in time: its message ends with
        `remedy`, what to do then, and its details have the subject as `named`.
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
            return fact, await self._log.append(self._topic, fact, self._deadline_s)
        except OutcomeUnknownError as error:
            raise UnavailableError(
                ErrorCode.OUTCOME_UNKNOWN,
                f"Kafka did not acknowledge in time, so the outcome is not known: {remedy}",
                {named: subject},
            ) from error
