"""The errors of a blob store, and the conversion of those of the library and of the file system."""

from pathlib import Path, PurePosixPath

from obstore.exceptions import BaseError

from piperoll.store.marker import MarkerGuard


class BlobMissingError(LookupError):
    """The blob does not exist: it was erased or never written."""


class BlobStoreError(RuntimeError):
    """The blob store returned an error; a retry may succeed."""


class BlobUnreadableError(BlobStoreError):
    """This blob cannot be read or written although the store answers. A retry fails again, until it is repaired."""


class ClaimMismatchError(BlobUnreadableError):
    """The blob has another content than its claim names."""


class store_errors:  # noqa: N801 - used like a function: `with store_errors(uri, guard):`
    """Converts errors of obstore. In a write, a missing file means that the store itself is missing.

    In a store on this disk, at `root`, no blob can be below another one.
    """

    def __init__(self, uri: str, guard: MarkerGuard, writing: bool = False, root: Path | None = None) -> None:
        self._uri = uri
        self._guard = guard
        self._writing = writing
        self._root = root

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, FileNotFoundError) and not self._writing:
            try:
                self._guard.missed()
            except (BaseError, OSError) as unmarked:
                raise BlobStoreError(f"the blob store failed at {self._uri}: {unmarked}") from unmarked
            raise BlobMissingError(f"no blob at {self._uri}") from error
        if isinstance(error, BaseError | OSError):
            if self._root is not None and any((self._root / part).is_file() for part in _folders(self._uri)):
                raise BlobUnreadableError(f"no blob can be at {self._uri[:100]!r}: it is below another blob") from error
            raise BlobStoreError(f"the blob store failed at {self._uri}: {error}") from error
        if isinstance(error, ValueError | TypeError):  # the library refuses the name
            raise BlobUnreadableError(f"no blob can be at {self._uri[:100]!r}: {error}") from error


def _folders(uri: str) -> list[PurePosixPath]:
    """The folders of a uri below the root."""
    return list(PurePosixPath(uri).parents)[:-1]
