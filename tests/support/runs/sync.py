"""Runs of `sync` and `import` processors over a real folder or bucket, and what a read model would make of them."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from piperoll.store.blobs import Blobs
from schemas.documents import Findings, KnownDocument, ResolvedSync
from schemas.job_types.imports import ImportParameters
from schemas.job_types.sync import SyncParameters
from services.worker.processors import imports
from services.worker.processors.sync import processor as sync
from services.worker.run.workspace import Limits, Result, Workspace
from tests.support.histories.jobs import claim

FOLDER_ID = "folder-1"


class Reports(list[tuple[str, int]]):
    """What a run reported: step and percent."""

    def __call__(self, step: str, percent: int, *_: Any, **__: Any) -> None:
        self.append((step, percent))


@dataclass
class Syncing:
    """A folder that is synchronised again and again; `known` is what the runs before found."""

    tmp_path: Path
    blobs: Blobs
    source: str
    known: dict[str, KnownDocument] = field(default_factory=dict)
    limits: dict[str, Any] = field(default_factory=dict)
    runs: int = 0
    reports: Reports = field(default_factory=Reports)

    def workspace(self, resolved: ResolvedSync | None = None) -> Workspace:
        self.runs += 1
        known = {"roots": (self.tmp_path / "in",), "max_bytes": 100_000, "max_pages": 10}
        return Workspace(
            job_id=f"job-{self.runs}",
            run=f"run-{self.runs}",
            owner="acme",
            attempt=1,
            blobs=self.blobs,
            limits=Limits(**(known | self.limits)),
            scratch=self.tmp_path / "scratch" / str(self.runs),
            resolved=resolved,
        )

    def run(self, source: str | None = None, **parameters: Any) -> Result:
        """Synchronises once, and remembers what was found as the read model would."""
        asked = SyncParameters(source=source or self.source, folder_id=FOLDER_ID, **parameters)
        resolved = ResolvedSync(folder_id=FOLDER_ID, name="Trial", documents=tuple(self.known.values()))
        self.reports = Reports()
        result = sync.process(asked, self.workspace(resolved), self.reports)
        findings = self.findings(result)
        for lost in findings.lost:
            del self.known[lost.document_id]
        for one in findings.found:
            self.known[one.document_id] = KnownDocument(
                document_id=one.document_id,
                source=one.source,
                revision=one.revision,
                jobs=("job-of-it",),
                parameters={"job-of-it": claim("segments/2026-01-01/000000-0#9-11")},
            )
        return result

    def import_items(self, *items: dict[str, str], **parameters: Any) -> Result:
        """Imports once, as the first run of the job `job-1`."""
        asked = ImportParameters.model_validate({"items": list(items), **parameters})
        self.runs = 0
        return imports.process(asked, self.workspace(), Reports())

    def findings(self, result: Result) -> Findings:
        """What a run left for the worker."""
        if result.findings is None:
            return Findings()
        return Findings.model_validate_json(self.blobs.get(result.findings.uri))


def counts(result: Result) -> tuple[int, int, int, int]:
    """Added, changed, removed, unchanged."""
    found = result.counts
    return found["filesAdded"], found["filesChanged"], found["filesRemoved"], found["filesUnchanged"]


def paths(result: Result, kind: str) -> list[str]:
    """The paths of one kind in the result."""
    return [one["path"] for one in result.structured_data[kind]]
