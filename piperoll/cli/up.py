"""`piperoll up` and `piperoll demo`: start the stack on this machine, run the demonstration, stop the stack."""

import asyncio
import shlex
import signal
import webbrowser
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from rich.markup import escape

from piperoll.cli.console import INTERRUPTED, CommandError, print_error, print_line, waiting
from piperoll.cli.demonstration import demonstrate, print_ready
from piperoll.cli.remote.connection import connected_to, page_link
from piperoll.cli.tables import discard_other_read_model
from piperoll.cli.target import ApiAccess
from piperoll.embedded.stack import Stack, StackOptions
from piperoll.job_types import JobTypeError, job_types
from piperoll.process_memory import keep_private

READY_S = 120.0  # the first start is slow on two busy cores


@dataclass(frozen=True, slots=True)
class UpOptions:
    """Options of `up` and `demo`; `workers` is the number of worker child processes, None for one per core."""

    data_dir: Path
    port: int
    api_keys: tuple[str, ...] = ()
    workers: int | None = None
    pdf: Path | None = None
    demo: bool = True
    open_page: bool = False

    def options(self) -> StackOptions:
        """Return the options for the stack."""
        extra = {} if self.workers is None else {"PIPEROLL_SLOTS": str(self.workers)}
        return StackOptions(port=self.port, api_keys=self.api_keys, extra_env=extra, prepare=discard_other_read_model)


class EventPrinter:
    """Shows the stack's events: in the spinner that is shown, else as a line with the time."""

    def __init__(self) -> None:
        self.detail: Callable[[str], None] | None = None

    def __call__(self, event: str) -> None:
        """Show one event."""
        if self.detail is not None:
            self.detail(event)
        else:
            print_line(f"  [dim]{datetime.now():%H:%M:%S}[/dim]  {escape(event)}")


Work = Callable[[Stack], Awaitable[int]]


async def serve(plan: UpOptions) -> int:
    """Run `up` until a signal arrives; a failed demonstration is printed and stops nothing."""

    async def work(stack: Stack) -> int:
        access = ApiAccess(stack.api_url, stack.api_key)
        job_id = None
        if plan.demo:
            try:
                job_id = await demonstrate(access, plan.data_dir, plan.pdf)
            except CommandError as error:
                print_error(str(error))
        print_ready(access, plan.data_dir, job_id)
        await _print_link(access, plan.data_dir, plan.open_page)
        await asyncio.Event().wait()
        return 0

    code = await _with_stack(plan, work)
    return 0 if code == INTERRUPTED else code


async def _print_link(access: ApiAccess, data_dir: Path, open_page: bool) -> None:
    """Print a link that signs in to the page, as the last line, and open it on request. A failure stops nothing."""
    print_line("Serving until Ctrl-C.")
    command = f"`piperoll link --data-dir {shlex.quote(str(data_dir))}`"
    try:
        async with connected_to(access) as client:
            link = await page_link(client, access)
    except CommandError as error:
        print_error(f"no link to the page could be made ({error}): {command} prints one")
        return
    print_line(
        escape(f"\n  The page, by a link that signs in once within ten minutes; {command} prints another:\n\n  {link}")
    )
    if open_page and not await asyncio.to_thread(_open, link):
        print_error("no browser could be started: open the link in one")


def _open(link: str) -> bool:
    """Open a link in the user's browser; return whether one was started."""
    try:
        return webbrowser.open(link)
    except (webbrowser.Error, OSError):
        return False


async def show(plan: UpOptions) -> int:
    """Run `demo` and stop; return 0 only if the job completed and the webhook arrived."""

    async def work(stack: Stack) -> int:
        access = ApiAccess(stack.api_url, stack.api_key)
        return 1 if await demonstrate(access, plan.data_dir, plan.pdf) is None else 0

    return await _with_stack(plan, work)


async def _with_stack(plan: UpOptions, work: Work) -> int:
    """Start the stack, run `work`, stop the stack. A signal ends `work`; further signals have no effect."""
    if plan.pdf is not None and not plan.pdf.is_file():
        raise CommandError(f"{plan.pdf} is not a file: give the path of a PDF")
    try:
        job_types()
    except JobTypeError as error:
        raise CommandError(str(error)) from error
    keep_private()
    printer = EventPrinter()
    stack = Stack(plan.data_dir, plan.options(), printer)
    task = asyncio.create_task(_run(stack, printer, work))
    _cancel_once(task)
    try:
        return await task
    except asyncio.CancelledError:
        return INTERRUPTED


async def _run(stack: Stack, printer: EventPrinter, work: Work) -> int:
    await stack.claim()
    with waiting("Starting Kafka and Postgres", "Kafka and Postgres are ready") as printer.detail:
        await stack.start()
    try:
        with waiting("Waiting for the four services", "the four services are ready") as printer.detail:
            await stack.wait_ready(READY_S)
        printer.detail = None
        return await work(stack)
    finally:
        await _stop(stack, printer)


async def _stop(stack: Stack, printer: EventPrinter) -> None:
    try:
        with waiting("Stopping: running jobs are handed over", "stopped") as printer.detail:
            await stack.stop()
    finally:
        await stack.stop()  # in case printing failed because the terminal is closed; otherwise a no-op


def _cancel_once(task: "asyncio.Task[int]") -> None:
    """Cancel the task on the first SIGINT, SIGTERM or SIGHUP only, so that its clean-up is not interrupted."""
    cancelled = False

    def cancel() -> None:
        nonlocal cancelled
        if not cancelled:
            cancelled = True
            task.cancel()

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) is not signal.SIG_IGN:  # nohup, and shells for background jobs
            asyncio.get_running_loop().add_signal_handler(number, cancel)
