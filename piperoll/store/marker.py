"""The blob whose presence proves that a store is an installation's, and not the empty folder below a mount point.

Without it, "no such blob" would mean "erased". What the marker contains is defined in `piperoll.installation`.
"""

import time
from pathlib import Path

import obstore
from obstore.store import ObjectStore

MARKER = "installation.json"
TRUSTED_S = 10.0  # for an object store, where each look is a request


class MarkerMissingError(OSError):
    """The store lacks its marker. Nothing can be concluded from what it has or lacks."""


class MarkerGuard:
    """Looks for the marker of one store. It has no effect until `on` is set."""

    def __init__(self, store: ObjectStore, root: Path | None) -> None:
        self._store = store
        self._path = None if root is None else root / MARKER
        self._seen_at = float("-inf")
        self.on = False

    def before(self) -> None:
        """Call before a write, a deletion or a listing: in a folder these succeed without the store. Raises OSError."""
        if self.on and self._path is not None:
            self._look()

    def missed(self) -> None:
        """Call when a blob was not found. Raises MarkerMissingError if that proves nothing, and OSError."""
        if self.on:
            self._look()

    def _look(self) -> None:
        try:
            if self._path is not None:
                self._path.stat()
            elif time.monotonic() - self._seen_at > TRUSTED_S:
                obstore.head(self._store, MARKER)
                self._seen_at = time.monotonic()
        except (FileNotFoundError, NotADirectoryError) as error:
            raise MarkerMissingError(
                f"{MARKER} is missing: is the volume mounted, and PIPEROLL_BLOB_URL that of this installation?"
            ) from error
