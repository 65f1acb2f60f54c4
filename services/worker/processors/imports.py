"""The `import` job: files from several places become documents, optionally in a folder.
See docs/contract/devana.md#job-types.

The job copies files; `services.worker.manager.found_documents` appends the facts for documents and folders.
"""

from contextlib import AbstractContextManager
from typing import Any, cast

from schemas.documents import Findings, FoundDocument
from schemas.errors import ErrorCode
from schemas.job_types.imports import ImportItem, ImportParameters
from schemas.job_types.parameters import JobParameters
from schemas.media import media_type_of
from services.worker.errors import ProcessingError
from services.worker.files.document_intake import (
    KNOWN_TYPES,
    document_name,
    failure_entry,
    free_document_id,
    store_content,
    store_findings,
)
from services.worker.files.sources import Source, open_source, open_url
from services.worker.run.workspace import ReportProgress, Result, Workspace

COPYING, FINALIZING = 10, 95
"""The percents at which the steps begin."""


def process(parameters: JobParameters, workspace: Workspace, report: ReportProgress) -> Result:
    """Run the job; the result lists failed items. Raises ProcessingError when all fail, and BlobStoreError."""
    params = cast(ImportParameters, parameters)
    report("initializing", 0)
    found: list[FoundDocument] = []
    failed: list[dict[str, Any]] = []
    first: ProcessingError | None = None
    for index, item in enumerate(params.items):
        percent = COPYING + (FINALIZING - COPYING) * index // len(params.items)
        try:
            found.append(_import(index, item, workspace, report, percent))
        except (ProcessingError, OSError) as error:
            failure = failure_entry(error, index=index, **_shown(item))
            failed.append(failure)
            first = first or _as_processing(error, failure)
        _clear(workspace)
    if first is not None and not found:
        raise first
    report("finalizing", FINALIZING)
    return _result(params, found, failed, workspace)


def _import(index: int, item: ImportItem, workspace: Workspace, report: ReportProgress, percent: int) -> FoundDocument:
    def beat() -> None:
        report("copying_files", percent)

    beat()
    place = item.url or item.filename
    assert place is not None  # the shape of an item
    with _opened(item, workspace) as source:
        media_type = media_type_of(source.name, source.media_type)
        if media_type not in KNOWN_TYPES:
            raise ProcessingError(
                ErrorCode.UNSUPPORTED_FILE_TYPE, f"Files of the type of {document_name(source.name)} are not supported."
            )
        # the same in every attempt of this job; two items with the same file are two documents
        document_id = free_document_id(workspace.blobs, workspace.job_id, f"{index}/{place}")
        content = store_content(document_id, source, media_type, workspace, beat)
        name = document_name(source.name)
    return FoundDocument(document_id=document_id, name=name, source=place, revision=content.sha256, content=content)


def _opened(item: ImportItem, workspace: Workspace) -> AbstractContextManager[Source]:
    if item.url is not None:
        return open_url(item.url, workspace)
    return open_source(item.filename or "", workspace, b"")


def _clear(workspace: Workspace) -> None:
    """Delete the files of an item from the run's folder, since many items could fill the disk."""
    for path in workspace.folder.iterdir():
        path.unlink()


def _shown(item: ImportItem) -> dict[str, str]:
    return item.model_dump(exclude_none=True)


def _as_processing(error: ProcessingError | OSError, failure: dict[str, Any]) -> ProcessingError:
    return error if isinstance(error, ProcessingError) else ProcessingError(failure["code"], failure["message"])


def _result(
    params: ImportParameters, found: list[FoundDocument], failed: list[dict[str, Any]], workspace: Workspace
) -> Result:
    return Result(
        structured_data={
            "folder_id": params.folder_id,
            "added": [{"name": one.name, "source": one.source, "document_id": one.document_id} for one in found],
            "failed": failed,
        },
        notes=(f"{len(failed):,} of {len(params.items):,} items could not be imported.",) if failed else (),
        bytes_in=sum(one.content.size for one in found),
        counts={
            "filesAdded": len(found),
            "filesFailed": len(failed),
            "filesProcessed": len(found) + len(failed),
        },
        findings=store_findings(workspace, Findings(folder_id=params.folder_id, found=tuple(found))),
    )
