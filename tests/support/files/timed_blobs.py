"""A blob store in memory whose blobs have the times of a given clock."""

from collections.abc import Iterator, Sequence

from piperoll.clock import Clock
from piperoll.store.blobs import BlobEntry, Blobs
from schemas.claims import Claim


class TimedBlobs(Blobs):
    """Its listings have the times at which `clock` was when the blobs were last written."""

    def __init__(self, clock: Clock) -> None:
        super().__init__("memory:///")
        self._clock = clock
        self._times: dict[str, BlobEntry] = {}

    def put_named(self, uri: str, content: bytes, media_type: str, digest: str | None = None) -> Claim:
        claim = super().put_named(uri, content, media_type, digest)
        self._times[uri] = BlobEntry(uri, self._clock())
        return claim

    def pages(self, folder: str = "") -> Iterator[Sequence[BlobEntry]]:
        for page in super().pages(folder):
            yield [self._times.get(one.uri, one) for one in page]
