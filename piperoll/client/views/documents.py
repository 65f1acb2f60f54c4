"""Uploads, documents, folders and hits of a search."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from pydantic import Field

from piperoll.client.views.base import CamelView, View

READ = frozenset({"DONE", "ERROR"})


class UploadView(View):
    """An uploaded file; `filename` is what jobs take as their parameter."""

    file_id: str
    filename: str
    size: int = 0
    sha256: str = ""
    media_type: str = ""


class PageView(CamelView):
    """A page of a document."""

    page_number: int
    text: str = ""


class DocumentView(CamelView):
    """A document; its text and pages once it was read. `status` is PENDING, IN_PROGRESS, DONE or ERROR."""

    document_id: str
    status: str
    job_id: str | None = None
    title: str | None = None
    content: str | None = None
    pages: Sequence[PageView] = ()
    metadata: Mapping[str, Any] = Field(default_factory=dict)
    total_words: int | None = None
    error: str | None = None
    created_at: datetime | None = None
    updated_at: datetime | None = None

    @property
    def ended(self) -> bool:
        """Whether it was read, or cannot be."""
        return self.status in READ


class ListedDocumentView(CamelView):
    """A document in a list."""

    id: str
    name: str = ""
    size: int | None = None
    mimetype: str | None = None
    status: str | None = None
    created_at: datetime | None = None


class FolderView(CamelView):
    """A folder of documents; `chunk_size` is in characters."""

    id: str
    name: str
    description: str | None = None
    chunk_size: int | None = None
    words: int | None = None
    created_at: datetime | None = None
    updated_at: datetime | None = None


class HitView(CamelView):
    """A chunk that a search found: `score` is the cosine, 1 for the same direction.

    `name` is the document's, `job_id` the job that read it; None if the server does not know them.
    """

    document_id: str
    name: str | None = None
    job_id: str | None = None
    chunk: int
    text: str
    score: float


class RetryView(CamelView):
    """The new job that reads a document, or indexes a folder, again."""

    id: str
    type: str = ""
    status: str = ""
    target_id: str | None = None
