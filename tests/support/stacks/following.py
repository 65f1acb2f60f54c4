"""A reader of the changes of an owner's jobs."""

from dataclasses import dataclass, field

from services.api.owner_stream.changes import ChangeFeed, ChangePage, StreamPlace
from tests.support.histories.jobs import OWNER

START = StreamPlace(())


@dataclass
class Received:
    """The changes that a reader has received, in order: jobs by id and sequence, the counts of batches by status."""

    jobs: list[tuple[str, int]] = field(default_factory=list)
    batches: dict[str, dict[str, int]] = field(default_factory=dict)
    gone: set[str] = field(default_factory=set)

    def take(self, page: ChangePage, events: int) -> None:
        """Take the batches of a page and its first `events` jobs."""
        for listed in page.batches:
            self.batches[listed.batch.batch_id] = {status.value: count for status, count in listed.counts.items()}
        self.gone |= set(page.deleted)
        self.jobs += [(row.job_id, row.standing.sequence) for _, row in page.jobs[:events]]


async def rest(feed: ChangeFeed, received: Received, place: StreamPlace, owner: str = OWNER) -> StreamPlace:
    """Read all pages behind a place."""
    while True:
        page = await feed.page(owner, place)
        received.take(page, len(page.jobs))
        place = page.end
        if not page.more:
            return place


def again(place: StreamPlace) -> StreamPlace:
    """The place as a client sends it back."""
    parsed = StreamPlace.parse(str(place))
    return place if parsed is None else parsed
