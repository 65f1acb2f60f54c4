"""The part of `piperoll verify` that compares registered endpoints. Writes nothing."""

from collections.abc import Iterable, Iterator

from piperoll.domain import endpoint as endpoints
from piperoll.domain.endpoint import Endpoint
from piperoll.history import Violation, misplaced_record
from piperoll.log.record import Position
from schemas.envelope import Fact
from services.projector.database.values import text
from services.projector.endpoints.writer import of_endpoint
from services.projector.verify.jobs import TableRow, row_violations

COMPARED = ("partition", "owner", "user_id", "url", "statuses", "removed", "created_at", "state")


class EndpointHistory:
    """The facts of one partition of the endpoints topic, folded."""

    def __init__(self, partitions: int) -> None:
        self._partitions = partitions
        self.endpoints: dict[str, Endpoint] = {}
        self.misplaced: list[Violation] = []

    def observe(self, fact: Fact, position: Position) -> None:
        """Take the next fact, in log order."""
        key = text(fact.subject)
        if found := misplaced_record(fact.subject, position, self._partitions):
            self.misplaced.append(found)
        endpoint = endpoints.evolve(self.endpoints.get(key), fact)
        if endpoint is not None:
            self.endpoints[key] = endpoint


def endpoint_violations(history: EndpointHistory, stored: Iterable[TableRow], partition: int) -> Iterator[Violation]:
    """Endpoints whose rows differ, are missing or are too many; an address is checked only if it must be empty."""

    def differences(endpoint: Endpoint, row: TableRow) -> Iterator[str]:
        expected = of_endpoint(endpoint, partition, None if endpoint.settings is None else row["url"])
        for name in COMPARED:
            stored = ",".join(row[name]) if name == "statuses" else row[name]
            if stored != getattr(expected, name):
                yield f"has another {name} in the tables than in the log"  # without the values: it may be an address

    yield from history.misplaced
    yield from row_violations(history.endpoints, stored, "endpoint_id", differences)
