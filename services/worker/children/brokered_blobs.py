"""The blob store as a sandbox sees it: every call is an errand of its child, which grants it or not."""

import hashlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import BinaryIO

from piperoll.store.blobs import (
    BlobMissingError,
    Blobs,
    BlobStoreError,
    BlobUnreadableError,
    ClaimMismatchError,
)
from schemas.claims import Claim
from services.worker.children.channel import Channel, Received
from services.worker.children.errands import MEDIA_TYPE_CHARS, Answer, Problem, StoreErrand

ERRORS: dict[Problem, type[Exception]] = {
    "missing": BlobMissingError,
    "mismatch": ClaimMismatchError,
    "unreadable": BlobUnreadableError,
    "store": BlobStoreError,
    "memory": MemoryError,
    "refused": PermissionError,
}


class BrokeredBlobs(Blobs):
    """The part of Blobs that runs use. `store` is the root on this disk, else the URL, for the locations of blobs."""

    def __init__(self, channel: Channel, store: str) -> None:  # opens no store
        self._channel = channel
        self.url = store
        self.root = Path(store) if store.startswith("/") else None

    def put_named(self, uri: str, content: bytes, media_type: str, digest: str | None = None) -> Claim:
        """See Blobs.put_named."""
        return self._claimed(self._ask("put", uri, media_type=media_type, payload=content)[0])

    def put_file(self, uri: str, source: BinaryIO, media_type: str | None = None) -> Claim:
        """See Blobs.put_file; the file must be on this disk."""
        return self._claimed(self._ask("put_file", uri, media_type=media_type, file=source.fileno())[0])

    def get(self, uri: str) -> bytes:
        """See Blobs.get."""
        return self._ask("get", uri)[1]

    def get_claimed(self, claim: Claim) -> bytes:
        """See Blobs.get_claimed."""
        content = self.get(claim.uri)
        if hashlib.sha256(content).hexdigest() != claim.sha256:
            raise ClaimMismatchError(f"the blob at {claim.uri} is not the one that the log names")
        return content

    def size(self, uri: str) -> int:
        """See Blobs.size."""
        return self._ask("size", uri)[0].number

    def fetch(self, uri: str, target: Path) -> None:
        """See Blobs.fetch."""
        with target.open("wb") as file:
            self._ask("fetch", uri, file=file.fileno())

    def local_path(self, uri: str) -> Path | None:
        """The path of a link to the blob, until the run ends; None for a remote store. Raises as Blobs.get."""
        return None if self.root is None else Path(self._ask("link", uri)[0].text)

    def list(self, folder: str) -> Iterator[str]:
        """See Blobs.list."""
        yield from self._ask("names", folder)[0].names

    def delete(self, uris: Iterable[str]) -> None:
        """See Blobs.delete."""
        self._ask("delete", *uris)

    def _ask(
        self, call: str, *uris: str, media_type: str | None = None, payload: bytes = b"", file: int | None = None
    ) -> tuple[Answer, bytes]:
        kind = media_type and media_type[:MEDIA_TYPE_CHARS]
        errand = StoreErrand.model_validate({"call": call, "uris": uris, "media_type": kind})
        return answer_of(self._channel.ask(errand, payload, file))

    @staticmethod
    def _claimed(answer: Answer) -> Claim:
        assert answer.claim is not None  # of every put
        return answer.claim


def answer_of(received: Received) -> tuple[Answer, bytes]:
    """The answer to an errand and its payload. Raises the error that it names."""
    answer = Answer.model_validate_json(received.message)
    if answer.problem == "file":
        raise OSError(answer.number, answer.text)
    if answer.problem is not None:
        raise ERRORS[answer.problem](answer.text)
    return answer, received.payload
