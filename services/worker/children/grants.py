"""Which blobs a run may read, write and delete. Pure.

A file may have taken the sandbox over, so the child judges each call: another owner's blob is refused, and so is what
belongs to the worker, such as cache entries, checkpoints and the inputs with sealed tokens.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final

from piperoll.store.document_paths import index_mark, removal_of
from piperoll.store.page_paths import folder_of, last_record_of
from piperoll.store.paths import refusal_of
from piperoll.store.uploads import FOLDER as UPLOADS
from schemas.claims import Claim
from schemas.pages import PageRecords
from services.worker.run.cache import RESULT

INPUTS: Final = "in"
CONTENT: Final = re.compile(r"documents/[^/]+/(?P<sha256>[0-9a-f]{64})")
INDEX_MARK: Final = re.compile(r"documents/(?P<document>[^/]+)/indexes/[^/]+")
REMOVAL: Final = re.compile(r"removed-(?:documents|folders)/(?P<subject>[^/]+)")


class NotGrantedError(PermissionError):
    """A run asked for a blob that is not its own."""


@dataclass(slots=True)
class Grant:
    """What one run may do. `named` are the uris in its parameters; `written` grows with what it writes.

    `finds_documents`: it may store the contents of documents that it found.
    """

    job_id: str
    run: str
    owner: str
    named: frozenset[str]
    finds_documents: bool
    written: dict[str, Claim] = field(default_factory=dict)

    def require(self, call: str, uri: str) -> None:
        """Raise NotGrantedError unless the run may make this call (errands.StoreErrand)."""
        allowed = refusal_of(uri) is None and {
            "get": self._may_read,
            "link": self._may_read,
            "fetch": self._may_read,
            "size": self._may_look_for,
            "names": self._may_list,
            "put": self._may_write,
            "put_file": self._may_write,
            "delete": self._may_delete,
        }[call](uri)
        if not allowed:
            raise NotGrantedError(f"this run may not {call} {uri[:200]!r}")

    def require_written(self, claim: Claim) -> None:
        """Raise NotGrantedError for a claim of what this run did not write."""
        if self.written.get(claim.uri) != claim:
            raise NotGrantedError(f"this run did not write {claim.uri[:200]!r}")

    def require_records(self, records: PageRecords) -> None:
        """Raise NotGrantedError for records of finished pages of which this run did not write the last one."""
        if records.run != self.run or last_record_of(self.job_id, records) not in self.written:
            raise NotGrantedError("this run did not write the records of pages that it names")

    def _may_read(self, uri: str) -> bool:
        own = uri.startswith(f"{self.job_id}/") and not uri.startswith(f"{self.job_id}/{INPUTS}/")
        return own or uri in self.named or uri in self.written or uri.startswith(f"{UPLOADS}/{self.owner}/")

    def _may_look_for(self, uri: str) -> bool:
        removed = REMOVAL.fullmatch(uri)
        return self._may_read(uri) or (removed is not None and removal_of(removed["subject"]) == uri)

    def _may_list(self, uri: str) -> bool:
        return uri.startswith(f"{folder_of(self.job_id)}/")

    def _may_write(self, uri: str) -> bool:
        folder = f"{self.job_id}/{self.run}/"
        pages = uri.startswith(f"{folder_of(self.job_id)}/") and f"/{self.run}-" in uri
        output = uri.startswith(folder) and uri != f"{folder}{RESULT}"
        return output or pages or self._is_mark(uri) or (self.finds_documents and is_content(uri))

    def _may_delete(self, uri: str) -> bool:
        return uri in self.written

    def _is_mark(self, uri: str) -> bool:
        found = INDEX_MARK.fullmatch(uri)
        return found is not None and uri == index_mark(self.job_id, self.run, found["document"])


def is_content(uri: str) -> bool:
    """Whether a uri is that of a document's content, which is named by its hash."""
    return CONTENT.fullmatch(uri) is not None


def uris_in(value: Any) -> Iterator[str]:
    """Yield the uris of all claims in a JSON value."""
    match value:
        case {"uri": str(uri), "sha256": str()}:
            yield uri
        case dict():
            for part in value.values():
                yield from uris_in(part)
        case list():
            for part in value:
                yield from uris_in(part)
