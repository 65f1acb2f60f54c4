"""The `sync` job (contract 15d): what a folder elsewhere holds becomes the documents of a folder here.

It finds and copies. What follows from that for documents, folders and their texts is for
`services.worker.manager.found_documents`.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Any, Final, cast

from schemas.documents import Findings, FoundDocument, KnownDocument, LostDocument, ResolvedSync
from schemas.errors import ErrorCode
from schemas.ids import intake_job_id
from schemas.job_types.parameters import JobParameters
from schemas.job_types.sync import SyncParameters
from schemas.media import MEDIA_TYPES, media_type_of
from services.worker.errors import ProcessingError
from services.worker.files.document_intake import (
    free_document_id,
    is_removed,
    keep_findings,
    named_failure,
    own_name,
    shortened,
    store_content,
)
from services.worker.processors.sync.changes import SourceChanges, changes
from services.worker.processors.sync.listing import Listed, SourceListing, SyncPlace, normalised, readable
from services.worker.processors.sync.places import place_of
from services.worker.run.workspace import ReportProgress, Result, Workspace

MAX_FILES: Final = 100_000
"""More than a run can take account of; deeper folders can be synchronised one by one."""
MAX_LOSSES: Final = 5
"""So many files in a row that cannot be reached are no longer the files' fault."""
LISTING, COPYING, FINALIZING = 5, 10, 95
"""The percents at which the steps begin."""


def process(parameters: JobParameters, workspace: Workspace, report: ReportProgress) -> Result:
    """Synchronises. Raises ProcessingError: FILE_NOT_ALLOWED, FILE_NOT_FOUND, NETWORK_ERROR, PROCESSING_ERROR for
    more than MAX_FILES; BlobStoreError.
    """
    asked = cast(SyncParameters, parameters)
    report("initializing", 0)
    folder = workspace.resolved
    if not isinstance(folder, ResolvedSync):
        raise ProcessingError(ErrorCode.FILE_NOT_FOUND, f"There is no folder {asked.folder_id}.")
    place = place_of(asked.source, workspace)
    report("listing_source", LISTING)
    run = _Run(normalised(asked.source), folder, place, workspace, report)
    run.look(place.look(lambda: report("listing_source", LISTING)))
    run.take_in_all()
    report("finalizing", FINALIZING)
    return run.result(delete_removed=asked.delete_removed)


@dataclass
class _Run:
    """One synchronisation, as far as it has come."""

    source: str
    folder: ResolvedSync
    place: SyncPlace
    workspace: Workspace
    report: ReportProgress
    listing: SourceListing = field(default_factory=SourceListing)
    files: dict[str, Listed] = field(default_factory=dict)
    known: dict[str, KnownDocument] = field(default_factory=dict)
    todo: SourceChanges = field(default_factory=lambda: SourceChanges((), (), (), ()))
    found: dict[str, FoundDocument] = field(default_factory=dict)
    failed: list[dict[str, Any]] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)

    def look(self, listing: SourceListing) -> None:
        """Sees what there is, and what there is to do."""
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
                f"The source has {len(self.files):,} files, a synchronisation takes {MAX_FILES:,} at most: "
                "synchronise its folders one by one.",
                retryable=False,
            )
        revisions = {path: listed.revision for path, listed in self.files.items()}
        self.todo = changes(revisions, {path: one.revision for path, one in self.known.items()}, listing.unread)

    def take_in_all(self) -> None:
        """Copies what is new. A file that cannot be read is named in the result, and hinders no other."""
        paths, losses = [*self.todo.added, *self.todo.changed], 0
        for number, path in enumerate(paths):
            percent = COPYING + (FINALIZING - COPYING) * number // len(paths)
            try:
                self.found[path] = self._take_in(path, percent)
                losses = 0
            except (ProcessingError, OSError) as error:
                losses = losses + 1 if getattr(error, "code", None) is ErrorCode.NETWORK_ERROR else 0
                if losses == MAX_LOSSES:
                    raise
                self.failed.append(named_failure(error, path=path))

    def _take_in(self, path: str, percent: int) -> FoundDocument:
        listed = self.files[path]
        limit = self.workspace.limits.max_bytes
        if listed.size > limit:
            raise ProcessingError(
                ErrorCode.FILE_TOO_LARGE, f"The file has {listed.size:,} bytes; at most {limit:,} are allowed."
            )

        def tell() -> None:
            self.report("copying_files", percent)

        document_id = self._document_id(path)
        with self.place.open(path, tell) as source:
            content = store_content(document_id, source, media_type_of(path), self.workspace, tell)
        return FoundDocument(
            document_id=document_id,
            name=own_name(PurePosixPath(path).name),
            source=f"{self.source}/{path}",
            # of the listing, since it is a listing that it will be compared with
            revision=listed.revision,
            content=content,
        )

    def _document_id(self, path: str) -> str:
        """The document that this file is already, else the one that it is for every run that meets it anew."""
        blobs, known = self.workspace.blobs, self.known.get(path)
        if known is not None and not is_removed(blobs, known.document_id):
            return known.document_id
        return free_document_id(blobs, f"{self.folder.folder_id}/{self.source}", path)

    def result(self, delete_removed: bool) -> Result:
        """What came of it."""
        removed = self.todo.removed if delete_removed else ()
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
            notes=tuple(self._notes(delete_removed)),
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
            findings=keep_findings(self.workspace, findings),
        )

    def _shown(self, path: str) -> dict[str, str]:
        return {"path": path, "document_id": self.found[path].document_id}

    def _notes(self, delete_removed: bool) -> Iterator[str]:
        """Sentences about all that the result leaves out."""
        kept = 0 if delete_removed else len(self.todo.removed)
        for count, said in (
            (len(self.failed), "could not be taken in"),
            (len(self.skipped), "were passed over: jobs do not read files of their type"),
            (self.listing.hidden, "were passed over: hidden files and folders, whose names begin with a dot"),
            (len(self.listing.links), "were passed over: links are not followed"),
            (len(self.listing.unread), "could not be listed: folders, whose documents stay as they are"),
            (kept, "are gone from the source, and their documents stay: delete_removed is false"),
        ):
            if count:
                yield f"{count:,} entries of the source {said}."


def _below(source: str, folder: ResolvedSync) -> Iterator[tuple[str, KnownDocument]]:
    """What is known of this very source, by path; a folder may be fed by several, and by imports."""
    for one in folder.documents:
        if one.source.startswith(f"{source}/"):
            yield one.source.removeprefix(f"{source}/"), one


def _lost(known: KnownDocument) -> LostDocument:
    """With the job of its last revision, which the read model may not have known of yet."""
    jobs = dict.fromkeys([*known.jobs, intake_job_id(known.document_id, known.revision)])
    return LostDocument(document_id=known.document_id, jobs=tuple(jobs))


def _unwritable(path: str) -> dict[str, Any]:
    error = ProcessingError(ErrorCode.FILE_NOT_FOUND, "The name of the file is no UTF-8: give it another one.")
    return named_failure(error, path=readable(path))
