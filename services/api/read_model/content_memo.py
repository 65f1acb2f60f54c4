"""Remembers what lists need of the JSON that claims lead to, so that polling reads no blobs.

A claim names one content for ever, so nothing here becomes stale. Erased content stays until it is pushed out, but
no row leads to it.
"""

from collections import OrderedDict
from collections.abc import Callable
from typing import Any, Generic, TypeVar

from schemas.claims import Claim
from services.api.read_model.contents import Contents

T = TypeVar("T")

MOST = 20_000  # a busy day's; a few hundred bytes each


class ContentMemo(Generic[T]):
    """What `read` makes of a claim's document, which should be small; of the most recently used claims."""

    def __init__(self, contents: Contents, most: int = MOST) -> None:
        self._contents = contents
        self._most = most
        self._known: OrderedDict[Claim, T] = OrderedDict()

    async def get(self, claim: Claim | None, read: Callable[[Any], T]) -> T | None:
        """None for no claim, and for a blob that was erased. Raises BlobStoreError."""
        if claim is None:
            return None
        if claim in self._known:
            self._known.move_to_end(claim)
            return self._known[claim]
        document = await self._contents.document(claim)
        if document is None:
            return None
        value = read(document)
        self._known[claim] = value
        if len(self._known) > self._most:
            self._known.popitem(last=False)
        return value
