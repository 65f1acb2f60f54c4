"""The `sync` job (docs/contract/devana.md#job-types): the files of an external folder become the documents of a folder.

The job finds and copies files; `services.worker.manager.found_documents` appends the facts for documents and folders.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Any, Final, cast

from piperoll.store.document_paths import is_removed
from schemas.documents import Findings, FoundDocument, KnownDocument, LostDocument, ResolvedSync
from schemas.errors import ErrorCode
from schemas.ids import intake_job_id
from schemas.job_types.parameters import JobParameters
from schemas.job_types.sync import SyncParameters
from schemas.media import MEDIA_TYPES, media_type_of
from services.worker.errors import ProcessingError
from services.worker.files.document_intake import (
    document_name,
    failure_entry,
    free_document_id,
    shortened,
    store_content,
    store_findings,
)
from services.worker.processors.sync.changes import SourceChanges, changes, too_many_removals
from services.worker.processors.sync.listing import ListedFile, SourceListing, SyncPlace, normalised, readable
from services.worker.processors.sync.places import place_of
from services.worker.run.workspace import ReportProgress, Result, Workspace

MAX_FILES: Final = 100_000
"""The limit of files in one run; subfolders can be synchronised one by one."""
MAX_NETWORK_FAILURES: Final = 5
"""After this many consecutive network failures the run fails: the source is unreachable."""
LISTING, COPYING, FINALIZING = 5, 10, 95
"""The percents at which the steps begin."""


def process(parameters: JobParameters, workspace: Workspace, report: ReportProgress) -> Result:
    """Run the job. Raises ProcessingError, also PROCESSING_ERROR for more than MAX_FILES; BlobStoreError."""
    params = cast(SyncParameters, parameters)
    report("initializing", 0)
    folder = workspace.resolved
    if not isinstance(folder, ResolvedSync):
        raise ProcessingError(ErrorCode.FILE_NOT_FOUND, f"The folder {params.folder_id} does not exist.")
    place = place_of(params.source, workspace)
    report("listing_source", LISTING)
    run = _Run(normalised(params.source), folder, place, workspace, report)
    run.plan(place.list_files(lambda: report("listing_source", LISTING)))
    run.copy_all()
    report("finalizing", FINALIZING)
    return run.result(params.delete_removed, params.confirm_removals)


@dataclass
class _Run:
    """The state of one synchronisation."""

    source: str
    folder: ResolvedSync
    place: SyncPlace
    workspace: Workspace
    report: ReportProgress
    listing: SourceListing = field(default_factory=SourceListing)
    files: dict[str, ListedFile] = field(default_factory=dict)
    known: dict[str, KnownDocument] = field(default_factory=dict)
    todo: SourceChanges = field(default_factory=lambda: SourceChanges((), (), (), ()))
    found: dict[str, FoundDocument] = field(default_factory=dict)
    failed: list[dict[str, Any]] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)

    def plan(self, listing: SourceListing) -> None:
        """Determine the changes from the listing."""
        self.listing = listing
        self.known = dict(_below(self.source, self.folder))
        for path, listed in listing.files.items():
            if not path.isprintable() and readable(path) != path:
                self.failed.append(_unwritable(path))
            elif PurePosixPath(path).suffix.lower() not in MEDIA_TYPES:
                self.skipped.append(path)
            else:
                self.files[path] = listed
        if len(self.files) > MAX_FILES:
            raise ProcessingError(
                ErrorCode.PROCESSING_ERROR,
                f"The source has {len(self.files):,} files; at most {MAX_FILES:,} are allowed: "
                "synchronise its folders one by one.",
                retryable=False,
            )
        revisions = {path: listed.revision for path, listed in self.files.items()}
        self.todo = changes(revisions, {path: one.revision for path, one in self.known.items()}, listing.unread)

    def copy_all(self) -> None:
        """Copy new and changed files. A file that fails is listed in the result and does not stop the others."""
        paths, failures = [*self.todo.added, *self.todo.changed], 0
        for number, path in enumerate(paths):
            percent = COPYING + (FINALIZING - COPYING) * number // len(paths)
            try:
                self.found[path] = self._copy(path, percent)
                failures = 0
            except (ProcessingError, OSError) as error:
                failures = failures + 1 if getattr(error, "code", None) is ErrorCode.NETWORK_ERROR else 0
                if failures == MAX_NETWORK_FAILURES:
                    raise
                self.failed.append(failure_entry(error, path=path))

    def _copy(self, path: str, percent: int) -> FoundDocument:
        listed = self.files[path]
        limit = self.workspace.limits.max_bytes
        if listed.size > limit:
            raise ProcessingError(
                ErrorCode.FILE_TOO_LARGE, f"The file has {listed.size:,} bytes; at most {limit:,} are allowed."
            )

        def beat() -> None:
            self.report("copying_files", percent)

        document_id = self._document_id(path)
        with self.place.open(path, beat) as source:
            content = store_content(document_id, source, media_type_of(path), self.workspace, beat)
        return FoundDocument(
            document_id=document_id,
            name=document_name(PurePosixPath(path).name),
            source=f"{self.source}/{path}",
            # of the listing, since the next listing is compared with it
            revision=listed.revision,
            content=content,
        )

    def _document_id(self, path: str) -> str:
        """Return the id of the file's existing document, else the id that every run would give it."""
        blobs, known = self.workspace.blobs, self.known.get(path)
        if known is not None and not is_removed(blobs, known.document_id):
            return known.document_id
        return free_document_id(blobs, f"{self.folder.folder_id}/{self.source}", path)

    def result(self, delete_removed: bool, confirmed: bool) -> Result:
        """Return the result. A removal is final, so too many of them need a confirmation."""
        share = self.workspace.limits.sync_max_removed
        refused = delete_removed and not confirmed and too_many_removals(self.todo, share)
        removed = self.todo.removed if delete_removed and not refused else ()
        added = [path for path in self.todo.added if path in self.found]
        changed = [path for path in self.todo.changed if path in self.found]
        findings = Findings(
            folder_id=self.folder.folder_id,
            found=tuple(self.found.values()),
            lost=tuple(_lost(self.known[path]) for path in removed),
        )
        return Result(
            structured_data={
                "source": self.source,
                "folder_id": self.folder.folder_id,
                "added": shortened([self._shown(path) for path in added]),
                "changed": shortened([self._shown(path) for path in changed]),
                "removed": shortened([{"path": p, "document_id": self.known[p].document_id} for p in removed]),
                "skipped": shortened(sorted([*self.skipped, *self.listing.links])),
                "failed": shortened(self.failed),
            },
            notes=(*self._refusal(refused), *self._notes(delete_removed)),
            bytes_in=sum(one.content.size for one in self.found.values()),
            counts={
                "filesAdded": len(added),
                "filesChanged": len(changed),
                "filesRemoved": len(removed),
                "filesUnchanged": len(self.todo.unchanged),
                "filesSkipped": len(self.skipped) + len(self.listing.links) + self.listing.hidden,
                "filesFailed": len(self.failed),
                "filesProcessed": sum(map(len, (added, changed, removed, self.todo.unchanged, self.failed))),
            },
            findings=store_findings(self.workspace, findings),
        )

    def _shown(self, path: str) -> dict[str, str]:
        return {"path": path, "document_id": self.found[path].document_id}

    def _refusal(self, refused: bool) -> Iterator[str]:
        if refused:
            yield (
                f"WARNING: {len(self.todo.removed):,} of {len(self.known):,} documents are not in the source any more, "
                "and were kept, since it may not be mounted or be another one: check the source, and if the files are "
                "gone for good, run the job again with confirm_removals: true."
            )

    def _notes(self, delete_removed: bool) -> Iterator[str]:
        """Yield notes about files that were not copied."""
        kept = 0 if delete_removed else len(self.todo.removed)
        for count, text in (
            (len(self.failed), "could not be copied"),
            (len(self.skipped), "were skipped: files of their type are not supported"),
            (self.listing.hidden, "were skipped: hidden files and folders, whose names begin with a dot"),
            (len(self.listing.links), "were skipped: links are not followed"),
            (len(self.listing.unread), "could not be listed: folders, whose documents are not changed"),
            (kept, "were removed from the source, but their documents are kept: delete_removed is false"),
        ):
            if count:
                yield f"{count:,} entries of the source {text}."


def _below(source: str, folder: ResolvedSync) -> Iterator[tuple[str, KnownDocument]]:
    """Yield the documents of this source by path; a folder may have documents of other sources and imports."""
    for one in folder.documents:
        if one.source.startswith(f"{source}/"):
            yield one.source.removeprefix(f"{source}/"), one


def _lost(known: KnownDocument) -> LostDocument:
    """Add the job of the last revision, which the read model may not contain yet."""
    jobs = dict.fromkeys([*known.jobs, intake_job_id(known.document_id, known.revision)])
    return LostDocument(document_id=known.document_id, jobs=tuple(jobs), parameters=known.parameters)


def _unwritable(path: str) -> dict[str, Any]:
    error = ProcessingError(ErrorCode.FILE_NOT_FOUND, "The name of the file is not UTF-8: rename the file.")
    return failure_entry(error, path=readable(path))
