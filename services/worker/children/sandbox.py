"""A sandbox: a confined process that runs processors on foreign files, one run at a time, until its child ends it.

It is forked by a child before that has any secret, closes all that it inherited but its own line, and confines itself
before the first task (services.worker.confinement).
"""

import os
import resource
import shutil
import signal
import tempfile
import time
import traceback
from collections.abc import Callable, Collection
from functools import partial
from ipaddress import ip_network
from pathlib import Path
from typing import Any, TypeVar

from pydantic import TypeAdapter
from pydantic_core import to_json

from piperoll.domain.work import writes_cache
from piperoll.job_types import job_types
from schemas.documents import Resolved
from schemas.job_types.parameters import JobParameters
from services.worker import processors
from services.worker.children import environment
from services.worker.children.brokered_blobs import BrokeredBlobs, answer_of
from services.worker.children.channel import Channel, ChannelClosedError
from services.worker.children.errands import METHOD_CHARS, Finished, Preparation, Prepared, RecallErrand, Task
from services.worker.children.failures import failure
from services.worker.children.protocol import MESSAGE_CHARS, MOST_PAGES, STEP_CHARS, TRACE_CHARS, RunProgress
from services.worker.confinement import libraries
from services.worker.confinement.confine import Reach, confine
from services.worker.errors import ProcessingError
from services.worker.providers import Providers
from services.worker.run import page_care
from services.worker.run.cache import key_of
from services.worker.run.parent_death import die_with
from services.worker.run.publishing import PagePublisher
from services.worker.run.resuming import PageCheckpoints
from services.worker.run.workspace import Limits, Result, Workspace

T = TypeVar("T")

HEARTBEAT_S = 1.0  # progress without a change is sent this often: the worker watches for stalls
PAGE_PACE_S = 0.05  # within a step: a page of text takes a millisecond, and the worker reads every message
PAGE_BYTES = resource.getpagesize()
RESOLVED: TypeAdapter[Resolved | None] = TypeAdapter(Resolved | None)
RESULT: TypeAdapter[Result] = TypeAdapter(Result)


def serve(channel: Channel, parent: int) -> None:
    """Confine this process and run tasks until the line closes."""
    die_with(parent)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    _close_others(channel)
    preparation = Preparation.model_validate_json(channel.receive().message)
    folder = Path(preparation.folder)
    environment.adopt(preparation.environment)
    environment.move_into(folder, libraries.in_use())
    os.chdir(folder)
    tempfile.tempdir = str(folder)
    measures = confine(_reach(preparation), parent) if preparation.confined else ()
    memory = preparation.setup.memory_bytes
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    desk = SandboxDesk(channel, preparation)
    channel.send(Prepared(measures=tuple(measures)))
    try:
        while True:
            desk.run(Task.model_validate_json(channel.receive().message))
    except ChannelClosedError:
        return  # the child has ended


def _close_others(channel: Channel) -> None:
    """Close what the fork copied, such as the child's line to the worker; standard error stays."""
    keep = channel.descriptor
    os.closerange(3, keep)
    os.closerange(keep + 1, resource.getrlimit(resource.RLIMIT_NOFILE)[0])


def _reach(preparation: Preparation) -> Reach:
    setup = preparation.setup
    templates = (Path(setup.templates_dir),) if setup.templates_dir else ()
    named = (Path(path) for path in (*setup.roots, *setup.credential_files))
    reads = (Path(preparation.inputs), *named, *templates)
    return Reach(reads, (Path(preparation.folder),), preparation.network, environment.programs())


class SandboxDesk:
    """Runs tasks."""

    def __init__(self, channel: Channel, preparation: Preparation) -> None:
        setup = preparation.setup
        self._channel = channel
        self._blobs = BrokeredBlobs(channel, preparation.store)
        self._folder = Path(preparation.folder)
        self._providers = Providers(setup.providers)
        self._statm = os.open("/proc/self/statm", os.O_RDONLY)  # stays open, since opening costs more than reading
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

    def run(self, task: Task) -> None:
        """Run one task and answer with its Finished, after its folder was removed."""
        started = time.monotonic()
        scratch = self._folder / task.run
        body = b""
        page_care.begin(task.skipped)
        environment.adopt(task.environment)
        try:
            finished, body = self._process(task, scratch)
        except ChannelClosedError:
            raise
        except Exception as error:  # noqa: BLE001 - whatever a processor raises ends its run, not the sandbox
            trace = ""
            if not isinstance(error, ProcessingError | MemoryError):
                trace = traceback.format_exc()[-TRACE_CHARS:]
            failed = failure(error, round((time.monotonic() - started) * 1000))
            finished = Finished(failed=failed, trace=trace, rss_bytes=self._resident_bytes())
        if scratch.exists():  # cheaper than to remove nothing
            shutil.rmtree(scratch, ignore_errors=True)
        self._channel.send(finished, body)

    def _process(self, task: Task, scratch: Path) -> tuple[Finished, bytes]:
        declared = job_types().of(task.job_type)
        again = bool(task.skipped)
        pages = PageCheckpoints(self._blobs, task.job_id, task.run, task.attempt > 1 or again)
        earlier = EarlierWork(self._channel, task.job_type, pages)
        publisher = PagePublisher(self._blobs, task.job_id, task.run, earlier.key, pages.write, again)
        workspace = Workspace(
            job_id=task.job_id,
            run=task.run,
            owner=task.owner,
            attempt=task.attempt,
            blobs=self._blobs,
            limits=self._limits,
            scratch=scratch,
            providers=self._providers,
            recall=earlier.recall,
            resume=earlier.resume,
            finish=publisher.finish,
            publish=publisher.write,
            resolved=RESOLVED.validate_python(task.resolved),
        )
        parameters = declared.parameters.model_validate(task.parameters)
        result = processors.load(declared)(parameters, workspace, ProgressSender(self._channel, publisher))
        finished = Finished(
            rss_bytes=self._resident_bytes(),
            assets=len(result.assets),
            pages=result.pages,
            bytes_in=result.bytes_in,
            from_cache=result.from_cache,
            cacheable=result.cacheable,
            method=result.method and result.method[:METHOD_CHARS],
            counts=dict(result.counts),
            index=result.index,
            findings=result.findings,
            page_checkpoints=pages.used or publisher.records is not None,
        )
        return finished, to_json(result.body(workspace.target_dir))

    def _resident_bytes(self) -> int:
        """The second number of /proc/self/statm, in pages (proc(5))."""
        return int(os.pread(self._statm, 100, 0).split()[1]) * PAGE_BYTES


class EarlierWork:
    """What earlier runs left of the same work: results in the cache, which the child looks for, and finished pages."""

    def __init__(self, channel: Channel, job_type: str, pages: PageCheckpoints) -> None:
        self._channel = channel
        self._job_type = job_type
        self._pages = pages
        self._work: Callable[[], str] | None = None
        self._key: str | None = None

    def recall(self, parameters: JobParameters, *, without: Collection[str] = (), **shaped_by: Any) -> Result | None:
        """See `services.worker.run.workspace.RecallResult`."""
        self._work = partial(key_of, self._job_type, parameters, shaped_by, without)
        if not writes_cache(parameters) or (key := self.key()) is None:
            return None
        _, content = answer_of(self._channel.ask(RecallErrand(key=key)))
        return RESULT.validate_json(content) if content else None

    def key(self) -> str | None:
        """The key of the work; None before `recall`. It takes long, and most jobs have no pages."""
        if self._key is None and self._work is not None:
            self._key = self._work()
        return self._key

    def resume(self, step: str, page: int, work: Callable[[], T | None], kind: TypeAdapter[T]) -> T | None:
        """See `services.worker.run.workspace.ResumePage`."""
        if (key := self.key()) is not None:
            self._pages.open(key)
        return self._pages.resume(step, page, work, kind)


class ProgressSender:
    """Sends changed progress, at most every PAGE_PACE_S within a step, else a heartbeat. Percent never decreases.

    Each report is an occasion to write the pages that were finished before it.
    """

    def __init__(self, channel: Channel, publisher: PagePublisher | None = None) -> None:
        self._channel = channel
        self._publisher = publisher
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
        if self._publisher is not None:
            self._publisher.write_if_due()
        percent = min(max(percent, self._percent, 0), 100)
        now = time.monotonic()
        pace_s = HEARTBEAT_S if percent == self._percent else PAGE_PACE_S
        if step == self._step and now - self._sent < pace_s:
            return
        self._step, self._percent, self._sent = step, percent, now
        self._channel.send(
            RunProgress(
                step=_shown(step, STEP_CHARS),
                percent=percent,
                message=message and message[:MESSAGE_CHARS],
                page=_bounded(page),
                pages=_bounded(pages),
                page_records=None if self._publisher is None else self._publisher.records,
            )
        )


def _shown(text: str, most: int) -> str:
    """A text as the worker takes it: on one line, and not longer than that."""
    text = text[:most]
    return text if text.isprintable() else "".join(one if one.isprintable() else " " for one in text)


def _bounded(number: int | None) -> int | None:
    return number if number is None else min(max(number, 0), MOST_PAGES)
