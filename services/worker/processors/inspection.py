"""The `inspection` job: the pages of a file with and without text, for an estimate (docs/adr/0034-estimates.md)."""

from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import Final, cast

from schemas.documents import ResolvedDocument
from schemas.errors import ErrorCode
from schemas.formats import Kind
from schemas.job_types.inspection import LOOKED_AT, WITH_TEXT, InspectionParameters
from schemas.job_types.parameters import JobParameters
from services.worker.errors import ProcessingError
from services.worker.files.sources import Source, open_claim, open_source
from services.worker.pages import mupdf
from services.worker.processors.extraction.detection import detect_kind, end_marker_of
from services.worker.processors.extraction.images import count_images
from services.worker.processors.pdf.plan import pages_of
from services.worker.run.workspace import ReportProgress, Result, Workspace

MOST_LOOKED_AT: Final = 200
"""Of a longer document so many pages are looked at, evenly spread: half a second, whatever its length."""


def process(parameters: JobParameters, workspace: Workspace, report: ReportProgress) -> Result:
    """Run the job. Raises ProcessingError as `extraction` and `pdf` do when they open the file; BlobStoreError."""
    params = cast(InspectionParameters, parameters)
    with _source(params, workspace) as source:
        kind = Kind.PDF if params.is_pdf else detect_kind(source, workspace.limits.max_bytes)[0]
        report("counting_pages", 10)
        match kind:
            case Kind.PDF:
                return _pdf(params, source, workspace)
            case Kind.IMAGE:
                return _result(count_images(source, workspace.limits.max_pages), 0, 0)
        return Result(structured_data={})  # its parts, such as slides, are known to its own reader alone


def _source(params: InspectionParameters, workspace: Workspace) -> AbstractContextManager[Source]:
    if params.file is not None:
        return open_source(params.file, workspace, end_marker_of(params.file))
    resolved = workspace.resolved
    if not isinstance(resolved, ResolvedDocument):
        raise ProcessingError(ErrorCode.FILE_NOT_FOUND, f"The document {params.document_id} does not exist.")
    return open_claim(resolved.content, resolved.name, workspace)


def _pdf(params: InspectionParameters, source: Source, workspace: Workspace) -> Result:
    with mupdf.open_pdf(source.path) as document:
        pages = pages_of(params, mupdf.page_count(document), workspace.limits.max_pages)
        looked_at = spread(pages, MOST_LOOKED_AT)
        found = sum(bool((mupdf.page_text(document, number) or "").strip()) for number in looked_at)
    return _result(len(pages), round(found * len(pages) / len(looked_at)), len(looked_at))


def spread(pages: range, most: int) -> Sequence[int]:
    """Return at most `most` of the pages, at equal distances, the first one among them."""
    if len(pages) <= most:
        return pages
    return [pages[index * len(pages) // most] for index in range(most)]


def _result(pages: int, with_text: int, looked_at: int) -> Result:
    counts = {WITH_TEXT: with_text, LOOKED_AT: looked_at}
    return Result(structured_data={"pages": pages, **counts}, pages=pages, counts=counts)
