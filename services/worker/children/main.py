"""A child process: reads assignments from a socket one by one, runs processors, answers. May be killed.

Started by `.process` as `python -m services.worker.children.main FD PARENT NOTE`. It reads hostile files, so it has no
secret but the keys of providers, has a memory cap, and dies with its parent. It uses the blob store, but neither log
nor SQL.
"""

import faulthandler
import json
import resource
import shutil
import socket
import sys
import time
import traceback
from ipaddress import ip_network
from pathlib import Path

from pydantic import TypeAdapter, ValidationError
from pydantic_core import to_json

from piperoll import tuning
from piperoll.clock import utc_now
from piperoll.job_types import job_types
from piperoll.store.blobs import BlobMissingError, Blobs, BlobStoreError
from schemas.documents import Resolved
from schemas.errors import RETRYABLE, SENTENCES, ErrorCode
from schemas.job_types.declaration import JobType
from schemas.job_types.parameters import JobParameters
from services.worker import processors
from services.worker.children.protocol import (
    MESSAGE_CHARS,
    TRACE_CHARS,
    Assignment,
    Completed,
    Done,
    Failed,
    Message,
    Outcome,
    Ready,
    RunProgress,
    Setup,
)
from services.worker.errors import ProcessingError, is_own_fault
from services.worker.providers import Providers
from services.worker.run import page_care
from services.worker.run.cache import RESULT, Cache
from services.worker.run.parent_death import die_with
from services.worker.run.resuming import PageCheckpoints
from services.worker.run.workspace import Limits, Workspace

HEARTBEAT_S = 1.0  # progress without a change is sent this often: the worker watches for stalls
PAGE_PACE_S = 0.05  # within a step: a page of text takes a millisecond, and the worker reads every message
PAGE_BYTES = resource.getpagesize()
RESOLVED: TypeAdapter[Resolved | None] = TypeAdapter(Resolved | None)


def main() -> None:
    """Serve until the socket closes. Arguments: the socket's descriptor, the parent's process id, a PageNote's."""
    descriptor, parent, note = (int(argument) for argument in sys.argv[1:4])
    die_with(parent)
    page_care.note_in(page_care.PageNote(note))
    faulthandler.enable()  # a segfault leaves the Python stack on standard error, which the parent logs
    with socket.socket(fileno=descriptor) as line, line.makefile("rb") as incoming:
        setup = Setup.model_validate_json(incoming.readline())
        desk = Desk(setup, line)
        processors.load_all()
        tuning.apply()
        _cap(setup.memory_bytes)
        desk.send(Ready())
        for frame in incoming:
            desk.serve(Assignment.model_validate_json(frame))


def _cap(memory_bytes: int) -> None:
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_AS, (memory_bytes, memory_bytes))


class Desk:
    """Serves assignments with one blob store that stays open between them."""

    def __init__(self, setup: Setup, line: socket.socket) -> None:
        self._line = line
        self._blobs = Blobs(setup.blob_url)
        self._blobs.guard.on = setup.marked
        self._work_dir = Path(setup.work_dir)
        self._limits = Limits(
            roots=tuple(Path(root) for root in setup.roots),
            max_bytes=setup.max_bytes,
            max_pages=setup.max_pages,
            networks=tuple(ip_network(network) for network in setup.networks),
            fetch_timeout_s=setup.fetch_timeout_s,
            media_bytes=setup.media_bytes,
            media_timeout_s=setup.media_timeout_s,
            templates_dir=Path(setup.templates_dir) if setup.templates_dir else None,
            ocr_languages=setup.ocr_languages,
            sync_max_removed=setup.sync_max_removed,
        )
        self._providers = Providers(setup.providers)
        self._setup = setup

    def send(self, message: Message) -> None:
        """Write one message. A closed socket raises, which ends the child: its worker is gone."""
        self._line.sendall(message.line())

    def serve(self, assignment: Assignment) -> None:
        """Run one job and answer with its Done, after its folder was removed."""
        started = time.monotonic()
        scratch = self._work_dir / assignment.run
        trace = ""
        end: Outcome
        page_care.begin(assignment.skipped)
        try:
            end = self._run(assignment, scratch, started)
        except Exception as error:  # noqa: BLE001 - whatever a processor raises ends its run, not the child
            end = failure(error, _since(started))
            if not isinstance(error, ProcessingError | MemoryError):
                trace = traceback.format_exc()[-TRACE_CHARS:]
        shutil.rmtree(scratch, ignore_errors=True)
        self.send(Done(end=end, rss_bytes=_resident_bytes(), trace=trace))

    def _run(self, assignment: Assignment, scratch: Path, started: float) -> Completed:
        declared = _declared(assignment.job_type)
        pages = self._page_checkpoints(assignment)
        cache = self._cache(assignment, pages)
        parameters, resolved = self._parameters(assignment, declared)
        workspace = Workspace(
            job_id=assignment.job_id,
            run=assignment.run,
            owner=assignment.owner,
            attempt=assignment.attempt,
            blobs=self._blobs,
            limits=self._limits,
            scratch=scratch,
            providers=self._providers,
            recall=cache.recall,
            resume=pages.resume,
            resolved=resolved,
        )
        result = processors.load(declared)(parameters, workspace, ProgressSender(self))
        body = to_json(result.body(workspace.target_dir))
        uri = f"{assignment.job_id}/{assignment.run}/{RESULT}"
        claim = self._blobs.put_named(uri, body, "application/json")
        cache.remember(result, claim)
        return Completed(
            result=claim,
            assets=len(result.assets),
            pages=result.pages,
            bytes_in=result.bytes_in,
            duration_ms=_since(started),
            from_cache=result.from_cache,
            method=result.method,
            counts=dict(result.counts),
            index=result.index,
            findings=result.findings,
            page_checkpoints=pages.used,
        )

    def _page_checkpoints(self, assignment: Assignment) -> PageCheckpoints:
        """Only an earlier attempt, or an earlier child of this one, can have left any."""
        reads = assignment.attempt > 1 or bool(assignment.skipped)
        return PageCheckpoints(self._blobs, assignment.job_id, assignment.run, reads)

    def _cache(self, assignment: Assignment, pages: PageCheckpoints) -> Cache:
        given = (assignment.job_type, assignment.owner, assignment.job_id, assignment.run)
        ttl_s = self._setup.cache_ttls_s.get(assignment.job_type, 0.0)
        return Cache(self._blobs, utc_now, *given, ttl_s, pages.open)

    def _parameters(self, assignment: Assignment, declared: JobType) -> tuple[JobParameters, Resolved | None]:
        """The validated parameters without the webhook, which only the notifier uses, and `resolved`."""
        try:
            body = json.loads(self._blobs.get_claimed(assignment.parameters))
            given = dict(body["parameters"])
            given.pop("webhook", None)
            resolved = RESOLVED.validate_python(body.get("resolved"))
            return declared.parameters.model_validate(given), resolved
        except BlobMissingError as error:
            raise ProcessingError(
                ErrorCode.PROCESSING_ERROR, "The job was erased, and its parameters with it."
            ) from error
        except (ValidationError, KeyError, TypeError, ValueError) as error:
            raise ProcessingError(
                ErrorCode.PROCESSING_ERROR,
                f"This release of the worker cannot run this {assignment.job_type} job: its parameters do not fit.",
            ) from error


class ProgressSender:
    """Sends changed progress, at most every PAGE_PACE_S within a step, else a heartbeat. Percent never decreases."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._step = ""
        self._percent = -1
        self._sent = 0.0

    def __call__(
        self,
        step: str,
        percent: int,
        message: str | None = None,
        page: int | None = None,
        pages: int | None = None,
    ) -> None:
        """See `services.worker.run.workspace.ReportProgress`."""
        percent = max(percent, self._percent, 0)
        now = time.monotonic()
        pace_s = HEARTBEAT_S if percent == self._percent else PAGE_PACE_S
        if step == self._step and now - self._sent < pace_s:
            return
        self._step, self._percent, self._sent = step, percent, now
        self._desk.send(RunProgress(step=step, percent=percent, message=message, page=page, pages=pages))


def _declared(job_type: str) -> JobType:
    """The declaration of a job type. Raises ProcessingError for an unknown one."""
    declared = job_types().get(job_type)
    if declared is None:
        raise ProcessingError(
            ErrorCode.PROCESSING_ERROR, f"This worker cannot run {job_type} jobs: it does not know the job type."
        )
    return declared


def failure(error: BaseException, duration_ms: int) -> Failed:
    """The failure by an error: its code, a message for the client, and whether another attempt may succeed."""
    if own_fault := is_own_fault(error):
        code, message = ErrorCode.STORAGE_ERROR, SENTENCES[ErrorCode.STORAGE_ERROR]
    else:
        code, message = _verdict(error)
    known = error if isinstance(error, ProcessingError) and not own_fault else None
    return Failed(
        code=code,
        message=message[:MESSAGE_CHARS],
        error_type=known.error_type if known else type(error).__name__,
        retryable=known.retryable if known else code in RETRYABLE,
        retry_after_s=known.retry_after_s if known else None,
        own_fault=own_fault,
        duration_ms=duration_ms,
    )


def _verdict(error: BaseException) -> tuple[ErrorCode, str]:
    match error:
        case ProcessingError():
            return error.code, error.message
        case MemoryError():
            return ErrorCode.OUT_OF_MEMORY, SENTENCES[ErrorCode.OUT_OF_MEMORY]
        case BlobStoreError():
            return ErrorCode.STORAGE_ERROR, SENTENCES[ErrorCode.STORAGE_ERROR]
        case _:  # unexpected: its text may quote content, so it goes to the log only
            return ErrorCode.PROCESSING_ERROR, SENTENCES[ErrorCode.PROCESSING_ERROR]


def _since(started: float) -> int:
    return round((time.monotonic() - started) * 1000)


def _resident_bytes() -> int:
    """The second number of /proc/self/statm, in pages (proc(5))."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * PAGE_BYTES


if __name__ == "__main__":
    main()
