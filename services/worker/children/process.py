"""One child process from its worker's side: started, given one assignment at a time, watched, killed."""

import asyncio
import os
import signal
import socket
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import structlog
from pydantic import ValidationError

from schemas.errors import ErrorCode
from services.worker.children import environment
from services.worker.children.deadline import RunWatch, Usage
from services.worker.children.protocol import ANSWERS, Assignment, Done, Failed, Outcome, Ready, RunProgress, Setup
from services.worker.children.usage import processor_seconds
from services.worker.confinement.confine import Measure
from services.worker.run.page_care import PageNote, PageStep

log = structlog.get_logger()

START_TIMEOUT_S = 60.0  # imports take half a second; a machine that swaps needs longer
EXIT_GRACE_S = 1.0  # between the end of the line and the end of the process
STDERR_TAIL = 8192  # bytes kept of what a child prints: a Python stack after a segfault fits
LONGEST_LINE = 1024 * 1024  # far above any message: a child that sends more is corrupt
OnProgress = Callable[[RunProgress], None]


class ChildStartError(RuntimeError):
    """A child process did not start; the text contains its output."""


@dataclass(slots=True)
class _Running:
    """The current run of a child. `done` becomes None when the process ended before its answer."""

    done: asyncio.Future[Done | None]
    on_progress: OnProgress
    watch: RunWatch
    timer: asyncio.TimerHandle | None = None
    verdict: Failed | None = None


class Child(asyncio.Protocol):
    """A warm child. `on_lost` is called once when its connection closes, from either side.

    `jobs` counts the finished assignments, `rss_bytes` is the resident memory after the last one, and `spent` is
    whether it must not get another one. `fatal` is what it worked on when it crashed or was stopped for its time.
    """

    def __init__(self, on_lost: Callable[["Child"], None]) -> None:
        self.jobs = 0
        self.rss_bytes = 0
        self.spent = False
        self.measures: Sequence[Measure] = ()
        self.fatal: PageStep | None = None
        self._note = PageNote()
        self._on_lost = on_lost
        self._loop = asyncio.get_running_loop()
        self._ready: asyncio.Future[None] = self._loop.create_future()
        self._running: _Running | None = None
        self._rest = b""
        self._printed = b""
        self._ending = False
        self._transport: asyncio.Transport | None = None
        self._process: asyncio.subprocess.Process | None = None
        self._listener: asyncio.Task[None] | None = None

    @property
    def pid(self) -> int:
        """The process id; 0 for one that was not started."""
        return self._process.pid if self._process else 0

    @classmethod
    async def start(cls, setup: Setup, on_lost: Callable[["Child"], None]) -> "Child":
        """Start a process and wait until it is warm. Raises ChildStartError."""
        child = cls(on_lost)
        try:
            async with asyncio.timeout(START_TIMEOUT_S):
                await child._spawn()
                child._send(setup.line())
                await child._ready
        except OSError as error:  # TimeoutError is one; a line that closed early another
            await child._finish()
            raise ChildStartError(f"a child process did not start ({error}): {child._last_words()}") from error
        except BaseException:
            await child.end()
            raise
        return child

    async def run(
        self, assignment: Assignment, on_progress: OnProgress, stall_timeout_s: float, page_timeout_s: float
    ) -> Outcome:
        """Run one assignment to its end; kill the process at a deadline or a stall, or when cancelled."""
        now = self._loop.time()
        watch = RunWatch(
            started=now,
            timeout_s=assignment.timeout_s,
            stall_timeout_s=stall_timeout_s,
            reported=now,
            page_timeout_s=page_timeout_s,
        )
        self._note.clear()
        self._running = running = _Running(self._loop.create_future(), on_progress, watch)
        self._send(assignment.line())
        running.timer = self._loop.call_at(min(watch.due(now), watch.half()), self._check, running)
        try:
            done = await running.done
            return self._ended(done, assignment) if done else await self._lost(running, assignment)
        except asyncio.CancelledError:
            await self.end()
            raise
        finally:
            self._running = None
            running.timer.cancel()

    async def end(self) -> None:
        """Kill the process and wait for its exit. A cancellation takes effect only after that."""
        self.spent = self._ending = True
        if self._transport:
            self._transport.abort()
        self._ready.cancel()
        if self._process is None:
            return
        self._kill()
        ends: set[asyncio.Future[Any]] = {asyncio.ensure_future(self._process.wait())}
        if self._listener:
            ends.add(self._listener)
        cancelled = False
        while ends:
            try:
                _, ends = await asyncio.wait(ends)
            except asyncio.CancelledError:
                cancelled = True
        if cancelled:
            raise asyncio.CancelledError

    # --- messages of the child (asyncio.Protocol) ------------------------------------------------------------

    def data_received(self, data: bytes) -> None:
        """Handle whole lines and keep the rest."""
        *lines, self._rest = (self._rest + data).split(b"\n")
        try:
            for line in lines:
                self._take(ANSWERS.validate_json(line))
        except ValidationError:
            log.exception("child_unreadable")
            self._kill()
        if len(self._rest) > LONGEST_LINE:
            self._kill()

    def connection_lost(self, exc: Exception | None) -> None:
        """Handle the end of the child or of its connection; both mean the same."""
        self.spent = True
        if not self._ready.done():
            self._ready.set_exception(ConnectionResetError("it ended before it was ready"))
        if self._running and not self._running.done.done():
            self._running.done.set_result(None)
        self._on_lost(self)

    def _take(self, answer: Ready | RunProgress | Done) -> None:
        running = self._running
        if isinstance(answer, Ready):
            self.measures = answer.measures
            if not self._ready.done():
                self._ready.set_result(None)
        elif running is None or running.done.done():
            return  # an answer to a run that was given up
        elif isinstance(answer, RunProgress):
            running.watch.reported = self._loop.time()
            running.on_progress(answer)
        else:
            running.done.set_result(answer)

    # --- how a run ends --------------------------------------------------------------------------------------

    def _check(self, running: _Running) -> None:
        """Called when the run may have exceeded its time; kill it then, else check again later."""
        if running.done.done():
            return
        now, at, watch = self._loop.time(), self._note.read(), running.watch
        since = at[1] if at else None
        watch = running.watch
        running.verdict = watch.expired(now, since)
        if running.verdict:
            if at is None and watch.computed(Usage(now, processor_seconds(self.pid))):
                running.verdict = running.verdict.model_copy(update={"retryable": False})
            self._kill()
            return
        if now >= watch.half():
            watch.usage = Usage(now, processor_seconds(self.pid))
        running.timer = self._loop.call_at(min(watch.due(now, since), watch.half()), self._check, running)

    def _ended(self, done: Done, assignment: Assignment) -> Outcome:
        self.jobs += 1
        self.rss_bytes = done.rss_bytes
        self.spent = self.spent or done.spent
        if isinstance(done.end, Failed) and done.end.code is ErrorCode.OUT_OF_MEMORY:
            self.spent = True  # what is left of its memory may lie in pieces
        if done.trace:
            log.error("processor_raised", job_id=assignment.job_id, run=assignment.run, traceback=done.trace)
        return done.end

    async def _lost(self, running: _Running, assignment: Assignment) -> Failed:
        """The failure of a run whose process ended."""
        killed_here = self._ending or running.verdict is not None
        returncode = await self._finish()
        now = self._loop.time()
        outcome = running.verdict or running.watch.crashed(returncode, now)
        at = self._note.read()
        if at and not (self._stopped_from_outside(running, returncode) or running.watch.out_of_time(now)):
            self.fatal = at[0]
        if not killed_here:
            log.error(
                "child_crashed",
                job_id=assignment.job_id,
                run=assignment.run,
                how=outcome.message,
                stderr=self._last_words(),
            )
        return outcome

    def _stopped_from_outside(self, running: _Running, returncode: int | None) -> bool:
        """Whether the end lies outside of what the child worked on: memory ran out, or an operator stopped it."""
        return running.verdict is None and returncode in (-signal.SIGKILL, -signal.SIGTERM, -signal.SIGINT)

    # --- the process -----------------------------------------------------------------------------------------

    async def _spawn(self) -> None:
        ours, theirs = socket.socketpair()
        arguments = (theirs.fileno(), os.getpid(), self._note.descriptor)
        with theirs, self._note.handed_over():
            self._transport, _ = await self._loop.create_unix_connection(lambda: self, sock=ours)
            self._process = await asyncio.create_subprocess_exec(
                sys.executable,
                *("-P", "-m", "services.worker.children.main", *map(str, arguments)),
                pass_fds=(theirs.fileno(), self._note.descriptor),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.DEVNULL,  # MuPDF prints
                stderr=asyncio.subprocess.PIPE,
                env={**environment.at_start(), "PYTHONPATH": os.pathsep.join(sys.path)},
                start_new_session=True,  # a terminal's Ctrl-C is for the worker, which drains first
            )
        self._listener = asyncio.create_task(self._listen(self._process))

    async def _listen(self, process: asyncio.subprocess.Process) -> None:
        """Read the child's output, so that it never blocks on a full pipe, and keep the end of it."""
        assert process.stderr
        while chunk := await process.stderr.read(4096):
            self._printed = (self._printed + chunk)[-STDERR_TAIL:]

    async def _finish(self) -> int | None:
        """Wait for a process whose connection closed to print and exit, then kill it; return its exit code."""
        if self._process is None:
            return None
        with suppress(TimeoutError):
            async with asyncio.timeout(EXIT_GRACE_S):
                await self._process.wait()
        await self.end()
        return self._process.returncode

    def _send(self, line: bytes) -> None:
        assert self._transport
        self._transport.write(line)

    def _kill(self) -> None:
        """Kill the child and its descendants, such as Tesseract: it leads a process group."""
        if self._process and self._process.returncode is None:
            with suppress(ProcessLookupError):  # it has ended already
                os.killpg(self._process.pid, signal.SIGKILL)

    def _last_words(self) -> str:
        return self._printed.decode(errors="replace").strip() or "it printed nothing"
