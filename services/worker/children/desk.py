"""A child's side of a run: it reads the parameters, chooses the sandbox, does its errands, and stores the result.

It trusts no sandbox: claims in the result must be of blobs that the run wrote, and a fault of the installation counts
as one when the store failed here or the disk is full.
"""

import json
import os
import secrets
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from pydantic import TypeAdapter, ValidationError

from piperoll.clock import utc_now
from piperoll.domain.work import reads_cache, writes_cache
from piperoll.job_types import job_types
from piperoll.store.blobs import BlobMissingError, Blobs, BlobStoreError
from schemas.documents import NAME_CHARS, Findings, FolderIndex, FoundDocument, Resolved, ResolvedSync
from schemas.errors import ErrorCode
from schemas.ids import intake_job_id
from schemas.job_types.declaration import JobType, Named, Reference
from schemas.job_types.parameters import JobParameters
from services.worker.children import environment
from services.worker.children.broker import Broker
from services.worker.children.channel import Channel, ChannelClosedError
from services.worker.children.errand_file import Heartbeat
from services.worker.children.errands import SAID, Answer, Finished, RecallErrand, StoreErrand, Task
from services.worker.children.failures import failure
from services.worker.children.forked import ForkedSandbox
from services.worker.children.grants import Grant, NotGrantedError, uris_in
from services.worker.children.protocol import (
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
from services.worker.children.scratch import folder_of
from services.worker.errors import ProcessingError
from services.worker.run.cache import RESULT, Cache
from services.worker.run.workspace import Result

RESOLVED: TypeAdapter[Resolved | None] = TypeAdapter(Resolved | None)
RECALLED: TypeAdapter[Result] = TypeAdapter(Result)
FINDERS: Final = frozenset({Named.FOLDER, Named.FOLDER_SOURCES})
"""What the job types name that store the contents of documents that they found."""

PLACE_CHARS: Final = 20_000
"""Of the place of a found document: more than any path and any url."""
REVISION_CHARS: Final = 4000
"""Of its revision, which may have the ETag of a server."""


class Desk:
    """Serves assignments with one blob store that stays open between them."""

    def __init__(
        self, setup: Setup, send: Callable[[Message], None], closed: ForkedSandbox, opened: ForkedSandbox
    ) -> None:
        self._setup = setup
        self._send = send
        self._blobs = Blobs(setup.blob_url)
        self._blobs.guard.on = setup.marked
        self._folder = Path(setup.work_dir) / folder_of(os.getpid())
        self._inputs = self._folder / secrets.token_hex(8)  # no other account of the machine can guess it, nor list it
        self._closed, self._opened = closed, opened
        self._folder.mkdir(mode=0o711)
        self._inputs.mkdir(mode=0o755)

    def prepare(self) -> Ready:
        """Prepare the sandboxes, at the same time; return what confines both."""
        store = self._setup.blob_url if self._blobs.root is None else str(self._blobs.root)
        for sandbox in (self._closed, self._opened):
            sandbox.begin(self._setup, self._folder / sandbox.name, self._inputs, store)
        _, measures = self._opened.prepared(), self._closed.prepared()
        return Ready(measures=measures)

    def serve(self, assignment: Assignment) -> None:
        """Run one job and answer with its Done."""
        run = _Run(assignment, self._setup, self._blobs, self._send)
        try:
            done = run.done(self._closed, self._opened, self._inputs)
        except ChannelClosedError:
            raise
        except Exception as error:  # whatever it is ends the run, and the child only in the middle of a conversation
            if run.attending and not isinstance(error, MemoryError):
                raise
            trace = "" if isinstance(error, ProcessingError) else traceback.format_exc()[-TRACE_CHARS:]
            done = Done(end=failure(error, run.duration_ms), rss_bytes=0, trace=trace, spent=run.attending)
        run.clear()
        self._send(done)


class _Run:
    """One run."""

    def __init__(self, given: Assignment, setup: Setup, blobs: Blobs, send: Callable[[Message], None]) -> None:
        self._given = given
        self._setup = setup
        self._blobs = blobs
        self._send = send
        self._started = time.monotonic()
        self._progress: RunProgress | None = None
        self._broker: Broker | None = None
        self.attending = False

    @property
    def duration_ms(self) -> int:
        """The time since the begin."""
        return round((time.monotonic() - self._started) * 1000)

    def done(self, closed: ForkedSandbox, opened: ForkedSandbox, inputs: Path) -> Done:
        """Run the processor and return the end. Raises what ends the run before or after it; ChannelClosedError."""
        given, declared = self._given, _declared(self._given.job_type)
        body, parameters, resolved = self._parameters(declared)
        network = declared.reaches_network(parameters)
        names_store = network and Reference.STORE in declared.references.values()
        sandbox = opened if network else closed
        sandbox.channel.send(
            Task(
                job_id=given.job_id,
                run=given.run,
                owner=given.owner,
                job_type=given.job_type,
                attempt=given.attempt,
                skipped=given.skipped,
                parameters=body["parameters"],
                resolved=body.get("resolved"),
                environment=environment.of_stores() if names_store else {},
            )
        )
        named = frozenset(uris_in(body.get("resolved")))
        grant = Grant(given.job_id, given.run, given.owner, named, declared.names in FINDERS)
        self._broker = broker = Broker(self._blobs, grant, inputs, Heartbeat(self._beat))
        ttl_s = self._setup.cache_ttls_s.get(given.job_type, 0.0)
        cache = Cache(self._blobs, utc_now, given.job_type, given.owner, given.job_id, given.run, ttl_s)
        finished, content = self._attend(sandbox.channel, broker, cache, parameters)
        if finished.failed is None:
            end: Outcome = self._completed(finished, content, grant, cache, resolved)
        else:
            end = self._failed(finished.failed, broker)
        return Done(end=end, rss_bytes=finished.rss_bytes, trace=finished.trace, spent=names_store)

    def clear(self) -> None:
        """Remove the run's links to blobs."""
        if self._broker is not None:
            self._broker.clear()

    def _parameters(self, declared: JobType) -> tuple[dict[str, Any], JobParameters, Resolved | None]:
        """The stored document without the webhook, which only the notifier uses; its parameters and `resolved`."""
        try:
            body = json.loads(self._blobs.get_claimed(self._given.parameters))
            body["parameters"] = given = dict(body["parameters"])
            given.pop("webhook", None)
            return body, declared.parameters.model_validate(given), RESOLVED.validate_python(body.get("resolved"))
        except BlobMissingError as error:
            raise ProcessingError(
                ErrorCode.PROCESSING_ERROR, "The job was erased, and its parameters with it."
            ) from error
        except (ValidationError, KeyError, TypeError, ValueError) as error:
            raise ProcessingError(
                ErrorCode.PROCESSING_ERROR,
                f"This release of the worker cannot run this {self._given.job_type} job: its parameters do not fit.",
            ) from error

    def _attend(
        self, channel: Channel, broker: Broker, cache: Cache, parameters: JobParameters
    ) -> tuple[Finished, bytes]:
        """Do the sandbox's errands until it has finished."""
        self.attending = True
        while True:
            received = channel.receive(takes_files=True)
            said = SAID.validate_json(received.message)
            if isinstance(said, StoreErrand):
                channel.send(*broker.carry_out(said, received))
                continue
            received.close()
            if isinstance(said, RunProgress):
                if said.page_records is not None:
                    broker.grant.require_records(said.page_records)
                self._progress = said
                self._send(said)
            elif isinstance(said, RecallErrand):
                channel.send(*_recalled(said, broker, cache, parameters))
            elif isinstance(said, Finished):
                self.attending = False
                return said, received.payload

    def _beat(self) -> None:
        if self._progress is not None:
            self._send(self._progress)

    def _completed(
        self, finished: Finished, body: bytes, grant: Grant, cache: Cache, resolved: Resolved | None
    ) -> Completed:
        """Store the result. Raises NotGrantedError for one that names what the run did not write; BlobStoreError."""
        if finished.index is not None:
            grant.require_written(finished.index)
            for part in FolderIndex.model_validate_json(self._blobs.get_claimed(finished.index)).parts:
                grant.require_written(part.content)
        if finished.findings is not None:
            grant.require_written(finished.findings)
            check_findings(Findings.model_validate_json(self._blobs.get_claimed(finished.findings)), grant, resolved)
        claim = self._blobs.put_named(f"{grant.job_id}/{grant.run}/{RESULT}", body, "application/json")
        if not finished.from_cache:
            parts = finished.model_dump(include={"pages", "bytes_in", "method", "counts", "cacheable"})
            cache.remember(Result(structured_data={}, **parts), claim)
        return Completed(
            result=claim,
            assets=finished.assets,
            pages=finished.pages,
            bytes_in=finished.bytes_in,
            duration_ms=self.duration_ms,
            from_cache=finished.from_cache,
            method=finished.method,
            counts=finished.counts,
            index=finished.index,
            findings=finished.findings,
            page_checkpoints=finished.page_checkpoints,
        )

    def _failed(self, failed: Failed, broker: Broker) -> Failed:
        own_fault = failed.own_fault and (broker.store_failed or not broker.can_write())
        return failed.model_copy(update={"own_fault": own_fault, "duration_ms": self.duration_ms})


def check_findings(findings: Findings, grant: Grant, resolved: Resolved | None) -> None:
    """Raise NotGrantedError for a found document that the run did not write, or a lost one of another folder."""
    for found in findings.found:
        grant.require_written(found.content)
        if not _is_bounded(found):
            raise NotGrantedError("a found document has a name, a place or a revision that cannot be in a fact")
        if not found.content.uri.startswith(f"documents/{found.document_id}/"):
            raise NotGrantedError("a found document has the content of another one")
    documents = resolved.documents if isinstance(resolved, ResolvedSync) else ()
    known = {one.document_id: one for one in documents}
    for lost in findings.lost:
        one = known.get(lost.document_id)
        if one is None or lost.parameters != one.parameters:
            raise NotGrantedError("a lost document is none of the folder")
        if set(lost.jobs) - {*one.jobs, intake_job_id(one.document_id, one.revision)}:
            raise NotGrantedError("a lost document names jobs that are not its own")


def _is_bounded(found: FoundDocument) -> bool:
    texts = ((found.name, NAME_CHARS), (found.source, PLACE_CHARS), (found.revision, REVISION_CHARS))
    return bool(found.name) and all(len(text) <= most and "\0" not in text for text, most in texts)


def _recalled(errand: RecallErrand, broker: Broker, cache: Cache, parameters: JobParameters) -> tuple[Answer, bytes]:
    if not writes_cache(parameters):
        return Answer(), b""
    try:
        result = cache.look_up(errand.key, reads_cache(parameters))
    except BlobStoreError as error:
        return broker.problem_of(error), b""
    return Answer(), b"" if result is None else RECALLED.dump_json(result)


def _declared(job_type: str) -> JobType:
    """The declaration of a job type. Raises ProcessingError for an unknown one."""
    declared = job_types().get(job_type)
    if declared is None:
        raise ProcessingError(
            ErrorCode.PROCESSING_ERROR, f"This worker cannot run {job_type} jobs: it does not know the job type."
        )
    return declared
