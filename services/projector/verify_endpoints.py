"""The part of `piperoll verify` that compares registered endpoints. Writes nothing."""

from collections.abc import Iterable, Iterator

from piperoll.domain import endpoint as endpoints
from piperoll.domain.endpoint import Endpoint
from piperoll.history import Violation
from piperoll.log.record import Position, partition_of
from schemas.envelope import Fact
from services.projector.comparison import INVARIANT, Row
from services.projector.endpoints import of_endpoint
from services.projector.projection import text


class EndpointHistory:
    """The facts of one partition of the endpoints topic, folded."""

    def __init__(self, partitions: int) -> None:
        self._partitions = partitions
        self.endpoints: dict[str, Endpoint] = {}
        self.misplaced: list[Violation] = []

    def observe(self, fact: Fact, position: Position) -> None:
        """Takes the next fact, in log order."""
        key, home = text(fact.subject), partition_of(fact.subject, self._partitions)
        if position.partition != home:
            sentence = f"has a record at {position}, its key belongs in partition {home}"
            self.misplaced.append(Violation("I2", key, sentence))
        endpoint = endpoints.evolve(self.endpoints.get(key), fact)
        if endpoint is not None:
            self.endpoints[key] = endpoint


def endpoint_violations(history: EndpointHistory, stored: Iterable[Row], partition: int) -> Iterator[Violation]:
    """Endpoints whose rows differ, are missing or are too many; an address is judged only where none may be left."""
    yield from history.misplaced
    missing = dict(history.endpoints)
    for row in stored:
        endpoint = missing.pop(row["endpoint_id"], None)
        if endpoint is None:
            yield _wrong(row["endpoint_id"], "is in the tables and not in the log")
            continue
        expected = of_endpoint(endpoint, partition, None if endpoint.settings is None else row["url"])
        for name in ("partition", "owner", "user_id", "url", "removed", "created_at", "state"):
            if row[name] != getattr(expected, name):
                yield _wrong(row["endpoint_id"], f"has another {name} in the tables than in the log")
    yield from (_wrong(key, "is in the log and not in the tables") for key in sorted(missing))


def _wrong(subject: str, sentence: str) -> Violation:
    return Violation(INVARIANT, subject, sentence)
