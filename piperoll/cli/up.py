"""`piperoll up` and `piperoll demo`: everything on this machine, started, shown and stopped."""

import asyncio
import signal
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from rich.markup import escape

from piperoll.cli.console import INTERRUPTED, CommandError, complain, say, waiting
from piperoll.cli.demonstration import demonstrate, invitation
from piperoll.cli.tables import discard_other_read_model
from piperoll.cli.target import Endpoint
from piperoll.embedded.stack import Stack, StackOptions
from piperoll.job_types import JobTypeError, job_types

READY_S = 120.0  # on two busy cores the first start of everything takes a while


@dataclass(frozen=True, slots=True)
class Plan:
    """What to start: `workers` is the number of worker child processes, None for one a core."""

    data_dir: Path
    port: int
    api_keys: tuple[str, ...] = ()
    workers: int | None = None
    pdf: Path | None = None
    demo: bool = True

    def options(self) -> StackOptions:
        """The same, as the stack wants it."""
        extra = {} if self.workers is None else {"PIPEROLL_SLOTS": str(self.workers)}
        return StackOptions(port=self.port, api_keys=self.api_keys, extra_env=extra, prepare=discard_other_read_model)


class Narrator:
    """Passes the stack's events on: into the wait that is shown, else as a line with the time."""

    def __init__(self) -> None:
        self.detail: Callable[[str], None] | None = None

    def __call__(self, event: str) -> None:
        """Pass one event on."""
        if self.detail is not None:
            self.detail(event)
        else:
            say(f"  [dim]{datetime.now():%H:%M:%S}[/dim]  {escape(event)}")


Work = Callable[[Stack], Awaitable[int]]


async def serve(plan: Plan) -> int:
    """`up`: run until a signal comes; a demonstration that fails is told and ends nothing."""

    async def work(stack: Stack) -> int:
        endpoint = Endpoint(stack.api_url, stack.api_key)
        job_id = None
        if plan.demo:
            try:
                job_id = await demonstrate(endpoint, plan.data_dir, plan.pdf)
            except CommandError as error:
                complain(str(error))
        invitation(endpoint, plan.data_dir, job_id)
        say("Serving until Ctrl-C.")
        await asyncio.Event().wait()
        return 0

    code = await _with_stack(plan, work)
    return 0 if code == INTERRUPTED else code


async def show(plan: Plan) -> int:
    """`demo`: run the demonstration and stop; 0 only if the job completed and the webhook came."""

    async def work(stack: Stack) -> int:
        endpoint = Endpoint(stack.api_url, stack.api_key)
        return 1 if await demonstrate(endpoint, plan.data_dir, plan.pdf) is None else 0

    return await _with_stack(plan, work)


async def _with_stack(plan: Plan, work: Work) -> int:
    """Start the stack, do the work, stop the stack. A signal ends the work; a second one hurries nothing."""
    if plan.pdf is not None and not plan.pdf.is_file():
        raise CommandError(f"{plan.pdf} is not a file: give the path of a PDF")
    try:
        job_types()
    except JobTypeError as error:
        raise CommandError(str(error)) from error
    narrator = Narrator()
    stack = Stack(plan.data_dir, plan.options(), narrator)
    living = asyncio.create_task(_live(stack, narrator, work))
    _cancel_once(living)
    try:
        return await living
    except asyncio.CancelledError:
        return INTERRUPTED


async def _live(stack: Stack, narrator: Narrator, work: Work) -> int:
    with waiting("Starting Kafka and Postgres", "Kafka and Postgres are up") as narrator.detail:
        await stack.start()
    try:
        with waiting("Waiting for the four services", "the four services are ready") as narrator.detail:
            await stack.wait_ready(READY_S)
        narrator.detail = None
        return await work(stack)
    finally:
        await _stop(stack, narrator)


async def _stop(stack: Stack, narrator: Narrator) -> None:
    try:
        with waiting("Stopping: jobs under way are given back", "stopped") as narrator.detail:
            await stack.stop()
    finally:
        await stack.stop()  # where the telling failed because the terminal is gone; else there is nothing left


def _cancel_once(task: "asyncio.Task[int]") -> None:
    """Let SIGINT, SIGTERM and the terminal's end cancel the task, once only: its cleaning up is not cut short."""
    asked = False

    def ask() -> None:
        nonlocal asked
        if not asked:
            asked = True
            task.cancel()

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) is not signal.SIG_IGN:  # nohup, and shells for background jobs
            asyncio.get_running_loop().add_signal_handler(number, ask)
