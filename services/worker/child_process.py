"""One child process as its worker sees it: started, given one assignment at a time, watched, killed.

Which job runs when, and what follows from an outcome, is decided elsewhere.
"""

import asyncio
import os
import signal
import socket
import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

import structlog
from pydantic import ValidationError

from schemas.errors import RETRYABLE, ErrorCode
from services.worker.protocol import (
    ANSWERS,
    Assignment,
    Completed,
    Done,
    Failed,
    Outcome,
    Progress,
    Ready,
    Setup,
)

log = structlog.get_logger()

START_TIMEOUT_S = 60.0  # imports take half a second; a machine that swaps needs longer
EXIT_GRACE_S = 1.0  # between the end of the line and the end of the process
STDERR_TAIL = 8192  # bytes kept of what a child prints: a Python stack after a segfault fits
LONGEST_LINE = 1024 * 1024  # far above any message: a child that sends more has lost its mind
ENVIRONMENT = {
    "MALLOC_ARENA_MAX": "2",  # each arena reserves 64 MiB of the address space that the memory cap counts
    "TOKIO_WORKER_THREADS": "1",  # the blob store's runtime; a child makes one call at a time
}

OnProgress = Callable[[Progress], None]


class ChildStartError(RuntimeError):
    """A child process did not come up; the text says what it printed."""


@dataclass(slots=True)
class _Running:
    """The assignment that a child is at."""

    done: asyncio.Future[Done | None]
    on_progress: OnProgress
    assignment: Assignment
    stall_timeout_s: float
    started: float
    heard: float
    timer: asyncio.TimerHandle | None = None
    verdict: Failed | None = None

    @property
    def deadline(self) -> float:
        return self.started + self.assignment.timeout_s

    def failed(self, code: ErrorCode, message: str, error_type: str, now: float) -> Failed:
        return Failed(
            code=code,
            message=message,
            error_type=error_type,
            retryable=code in RETRYABLE,
            duration_ms=round((now - self.started) * 1000),
        )


class ChildProcess(asyncio.Protocol):
    """A warm child. `on_lost` is called once when its line closes, whoever closed it.

    `jobs` counts the assignments it finished, `rss_bytes` is its resident memory after the last one, and
    `spent` says that it must not get another.
    """

    def __init__(self, on_lost: Callable[["ChildProcess"], None]) -> None:
        self.jobs = 0
        self.rss_bytes = 0
        self.spent = False
        self._on_lost = on_lost
        self._loop = asyncio.get_running_loop()
        self._ready: asyncio.Future[None] = self._loop.create_future()
        self._rest = b""
        self._running: _Running | None = None
        self._printed = b""

    @classmethod
    async def start(cls, setup: Setup, on_lost: Callable[["ChildProcess"], None]) -> "ChildProcess":
        """Starts a process and waits until it is warm. Raises ChildStartError."""
        child = cls(on_lost)
        await child._spawn()
        try:
            child._transport.write(setup.line())
            async with asyncio.timeout(START_TIMEOUT_S):
                await child._ready
        except BaseException as error:
            await child.end()
            if isinstance(error, TimeoutError | ConnectionError):
                raise ChildStartError(f"a child process did not start: {child._last_words()}") from error
            raise
        return child

    async def run(self, assignment: Assignment, on_progress: OnProgress, stall_timeout_s: float) -> Outcome:
        """Runs one assignment to its end, whatever that is; kills the process at a deadline or a stall.

        Cancelled, it kills the process and waits for its exit before the CancelledError leaves.
        """
        now = self._loop.time()
        running = _Running(self._loop.create_future(), on_progress, assignment, stall_timeout_s, started=now, heard=now)
        self._running = running
        self._transport.write(assignment.line())
        self._arm(running)
        try:
            done = await running.done
            return self._ended(done) if done else await self._lost(running)
        except asyncio.CancelledError:
            await self.end()
            raise
        finally:
            self._running = None
            if running.timer:
                running.timer.cancel()

    async def end(self) -> None:
        """Kills the process and waits for its exit, cancelled or not: a SIGKILL is not long in coming."""
        self.spent = True
        self._kill()
        exit_ = asyncio.ensure_future(self._process.wait())
        while not exit_.done():
            with suppress(asyncio.CancelledError):
                await asyncio.shield(exit_)
        self._transport.abort()
        await self._stderr

    # --- what the child says (asyncio.Protocol) --------------------------------------------------------------

    def data_received(self, data: bytes) -> None:
        """Takes whole lines and keeps the rest."""
        *lines, self._rest = (self._rest + data).split(b"\n")
        try:
            for line in lines:
                self._take(ANSWERS.validate_json(line))
        except ValidationError:
            log.exception("child_unreadable", pid=self._process.pid)
            self._kill()
        if len(self._rest) > LONGEST_LINE:
            self._kill()

    def connection_lost(self, exc: Exception | None) -> None:
        """The child ended, or closed its end, which is the same to us."""
        self.spent = True
        if not self._ready.done():
            self._ready.set_exception(ConnectionResetError("the child ended before it was ready"))
        if self._running and not self._running.done.done():
            self._running.done.set_result(None)
        self._on_lost(self)

    def _take(self, answer: Ready | Progress | Done) -> None:
        running = self._running
        if isinstance(answer, Ready):
            if not self._ready.done():
                self._ready.set_result(None)
        elif running is None or running.done.done():
            return  # an answer to a run that was given up
        elif isinstance(answer, Progress):
            running.heard = self._loop.time()
            running.on_progress(answer)
        else:
            running.done.set_result(answer)

    # --- watching ----------------------------------------------------------------------------------------------

    def _arm(self, running: _Running) -> None:
        due = min(running.deadline, running.heard + running.stall_timeout_s)
        running.timer = self._loop.call_at(due, self._check, running)

    def _check(self, running: _Running) -> None:
        now = self._loop.time()
        if now >= running.deadline:
            self._condemn(running, f"The attempt took longer than its {running.assignment.timeout_s:g} seconds.")
        elif now >= running.heard + running.stall_timeout_s:
            self._condemn(running, f"Processing made no progress for {running.stall_timeout_s:g} seconds.")
        else:
            self._arm(running)

    def _condemn(self, running: _Running, sentence: str) -> None:
        if not running.done.done():
            now = self._loop.time()
            running.verdict = running.failed(ErrorCode.PROCESSING_TIMEOUT, sentence, "Timeout", now)
            self._kill()

    def _ended(self, done: Done) -> Completed | Failed:
        self.jobs += 1
        self.rss_bytes = done.rss_bytes
        if isinstance(done.end, Failed) and done.end.code is ErrorCode.OUT_OF_MEMORY:
            self.spent = True  # what is left of its memory may lie in pieces
        if done.trace:
            log.error("processor_raised", traceback=done.trace)
        return done.end

    async def _lost(self, running: _Running) -> Failed:
        """The verdict on a run whose process went away."""
        with suppress(TimeoutError):
            async with asyncio.timeout(EXIT_GRACE_S):
                await self._process.wait()
        await self.end()
        if running.verdict:
            return running.verdict
        how = _described(self._process.returncode)
        log.error("child_crashed", how=how, stderr=self._last_words())
        sentence = f"The process that worked on this input {how}."
        return running.failed(ErrorCode.PROCESSOR_CRASHED, sentence, "Exit", self._loop.time())

    # --- the process -------------------------------------------------------------------------------------------

    async def _spawn(self) -> None:
        ours, theirs = socket.socketpair()
        ours.setblocking(False)
        with theirs:
            try:
                self._process = await asyncio.create_subprocess_exec(
                    sys.executable,
                    *("-m", "services.worker.child", str(theirs.fileno()), str(os.getpid())),
                    pass_fds=(theirs.fileno(),),
                    stdin=asyncio.subprocess.DEVNULL,
                    stdout=asyncio.subprocess.DEVNULL,
                    stderr=asyncio.subprocess.PIPE,
                    env=_environment(),
                    start_new_session=True,  # a terminal's Ctrl-C is for the worker, which drains first
                )
            except OSError as error:
                ours.close()
                raise ChildStartError(f"no child process can be started: {error}") from error
        self._transport, _ = await self._loop.create_unix_connection(lambda: self, sock=ours)
        self._stderr = asyncio.create_task(self._listen())

    async def _listen(self) -> None:
        """Reads what the child prints, so that it never blocks on a full pipe, and keeps the tail."""
        assert self._process.stderr
        while chunk := await self._process.stderr.read(4096):
            self._printed = (self._printed + chunk)[-STDERR_TAIL:]

    def _kill(self) -> None:
        with suppress(ProcessLookupError):  # it has ended already
            self._process.kill()

    def _last_words(self) -> str:
        return self._printed.decode(errors="replace").strip() or "it printed nothing"


def _environment() -> dict[str, str]:
    """The worker's environment without our own settings: a process that reads hostile files needs no secret."""
    ours = {name: value for name, value in os.environ.items() if not name.startswith("PIPEROLL_")}
    return {**ENVIRONMENT, **ours}


def _described(returncode: int | None) -> str:
    if returncode is None or returncode >= 0:
        return f"ended with exit code {returncode}"
    try:
        name = signal.Signals(-returncode).name
    except ValueError:
        name = str(-returncode)
    if -returncode == signal.SIGKILL:
        return "was killed (SIGKILL), as the system does when it runs out of memory"
    return f"crashed ({name})"
