"""Caches the parts of claims' contents that lists show, so that polling reads no blobs.

The content of a claim never changes, so entries do not become stale. Erased content stays until it is evicted, but
no row refers to it.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Callable
from typing import Any, Generic, TypeVar

from schemas.claims import Claim
from services.api.read_model.contents import Contents

T = TypeVar("T")

MAX_ENTRIES = 20_000  # a busy day's; a few hundred bytes each


class ContentMemo(Generic[T]):
    """The results of `read` for the most recently used claims; they should be small.

    `long`: `read` may take longer than other requests should wait, and runs on a thread.
    """

    def __init__(self, contents: Contents, max_entries: int = MAX_ENTRIES, *, long: bool = False) -> None:
        self._contents = contents
        self._long = long
        self._max_entries = max_entries
        self._cached: OrderedDict[Claim, T] = OrderedDict()

    async def get(self, claim: Claim | None, read: Callable[[Any], T]) -> T | None:
        """Return `read` of the claim's content; None without a claim or if its blob was erased. Raises
        BlobStoreError."""
        if claim is not None and claim in self._cached:
            self._cached.move_to_end(claim)
            return self._cached[claim]
        content = await self._contents.read(claim)
        if claim is None or content is None:
            return None
        value = await asyncio.to_thread(read, content) if self._long else read(content)
        self._cached[claim] = value
        if len(self._cached) > self._max_entries:
            self._cached.popitem(last=False)
        return value
