"""Output of the commands: colour and live progress on a terminal, plain lines in a pipe, errors on standard error."""

import asyncio
import errno
import logging
import os
import sys
import time
from collections.abc import Callable, Coroutine, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NoReturn

import structlog
import typer
from rich.console import Console
from rich.markup import escape
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    SpinnerColumn,
    TextColumn,
    TimeElapsedColumn,
)
from rich.table import Table

INTERRUPTED = 130  # 128 + SIGINT, as shells report it
COULD_NOT_RUN = 2  # nothing was examined or done: wrong arguments, no stack, or a part of it does not answer
STATUSES = (
    "Exit status: 0 done, 1 refused or failed, 2 could not run (no server, wrong arguments), 130 stopped by Ctrl-C."
)
"""The end of the help of most commands."""
LABEL_WIDTH = 14  # of the longest label, and a gap
GAP = 2
OUTPUT_LOST = "the output cannot be written: {}"
SEE_DOCTOR = "`piperoll doctor`, with the same --data-dir or variables, shows which part and why"


class _Output(Console):
    """Discards output once the pipe is closed, so that `piperoll up | head` does not stop the services."""

    def on_broken_pipe(self) -> None:
        self.quiet = True
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


out = _Output(highlight=False)


class CommandError(Exception):
    """A command failed; the message names the cause and what to do."""


class CouldNotRunError(CommandError):
    """A command could not run: wrong arguments, no stack, or one that does not answer. Exits with COULD_NOT_RUN."""


def print_line(text: str = "") -> None:
    """Print a line of rich markup; in a pipe it is neither coloured nor wrapped."""
    out.print(text, soft_wrap=True)


def write_out(text: str) -> None:
    """Write plain text, which is for other programs, to standard output."""
    try:
        out.file.write(text)
    except BrokenPipeError:
        out.on_broken_pipe()


def heading(text: str) -> None:
    """Print a heading with an empty line before and after it."""
    print_line(f"\n[bold]{escape(text)}[/bold]\n")


def entry(label: str, text: str) -> None:
    """Print a labelled line; further lines of `text` are indented below the first."""
    width = max(LABEL_WIDTH, len(label) + GAP)
    first, *rest = text.splitlines() or [""]
    print_line(f"  [dim]{escape(label):<{width}}[/dim]{escape(first)}")
    for line in rest:
        print_line(f"  {'':<{width}}{escape(line)}")


def print_rows(names: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Print a table on a terminal, tab-separated values in a pipe."""
    if not out.is_terminal:
        for row in (names, *rows):
            write_out("\t".join(" ".join(cell.split()) for cell in row) + "\n")
        return
    table = Table(*names, box=None, header_style="dim", padding=(0, 3, 0, 0))
    for row in rows:
        table.add_row(*map(escape, row))
    out.print(table)


def counted(number: int, one: str, many: str = "") -> str:
    """Return the number with its word, such as `1 batch` and `2,000 batches`; without `many`, `one` with an s."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def print_error(text: str) -> None:
    """Print an error on standard error."""
    Console(stderr=True, highlight=False).print(f"[red]error:[/red] {escape(text)}", soft_wrap=True)


def warn(text: str) -> None:
    """Print a warning on standard error."""
    Console(stderr=True, highlight=False).print(f"[yellow]warning:[/yellow] {escape(text)}", soft_wrap=True)


@contextmanager
def counting(text: str, unit: str) -> Iterator[Callable[[int, int], None]]:
    """Show a bar on a terminal, a line per second in a pipe. Yields a function to call with done and total."""
    if out.is_terminal:
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
        with Progress(*columns, console=out, transient=True) as progress:
            task = progress.add_task(escape(f"{text}, {unit}"), total=None)
            yield lambda done, total: progress.update(task, completed=done, total=total)
        return
    print_line(escape(text))
    reported = time.monotonic()

    def report(done: int, total: int) -> None:
        nonlocal reported
        if time.monotonic() - reported >= 1:
            reported = time.monotonic()
            print_line(f"  {done:,} of {total:,} {unit}")

    yield report


@contextmanager
def waiting(text: str, done: str = "") -> Iterator[Callable[[str], None]]:
    """Show a spinner with the elapsed seconds on a terminal, lines in a pipe.

    Yields a function that shows a line of detail, in a pipe with the elapsed seconds. Prints `done` with the elapsed
    seconds when no error was raised.
    """
    began = time.monotonic()
    if out.is_terminal:
        columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
        with Progress(*columns, console=out, transient=True) as progress:
            task = progress.add_task(escape(text))
            yield lambda detail: progress.update(task, description=f"{escape(text)}  [dim]{escape(detail)}[/dim]")
    else:
        print_line(escape(text))
        yield lambda detail: print_line(f"  [dim]{time.monotonic() - began:3.0f} s[/dim]  {escape(detail)}")
    if done:
        print_line(f"  {escape(done)} [dim]({time.monotonic() - began:.1f} s)[/dim]")


def run_command(main: Coroutine[Any, Any, int], failure: int = 1) -> NoReturn:
    """Run a command and exit with its code; on an expected error print a sentence and exit as `failure_of` states."""
    _silence_libraries()
    try:
        code = asyncio.run(main)
    except KeyboardInterrupt:
        code = INTERRUPTED
    except Exception as error:  # noqa: BLE001 - one that is not expected is raised again
        sentence, code = failure_of(error, failure)
        print_error(sentence)
    raise typer.Exit(code if _flushed() else 1)


def _flushed() -> bool:
    """Write what is left to standard output; whether that worked. A pipe that was closed early does not count."""
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        out.on_broken_pipe()
    except OSError as error:
        print_error(OUTPUT_LOST.format(error.strerror))
        out.on_broken_pipe()  # what is left would fail again when the process ends
        return False
    return True


def failure_of(error: Exception, failure: int) -> tuple[str, int]:
    """Return the sentence for an expected error and the exit status, which is `failure` if the command could run.

    Raises all other errors: they are bugs and keep their traceback.
    """
    from aiokafka.errors import KafkaConnectionError, KafkaError
    from asyncpg import PostgresError
    from pydantic import ValidationError

    from piperoll.certificates import CertificateError
    from piperoll.embedded.errors import StackError
    from piperoll.store.blobs import BlobStoreError
    from schemas.envelope import UnknownEventError

    match error:
        case CouldNotRunError():
            return str(error), COULD_NOT_RUN
        case CommandError() | CertificateError() | StackError() | UnknownEventError():
            return str(error), failure
        case ValidationError():
            problems = "; ".join(f"PIPEROLL_{str(one['loc'][0]).upper()}: {one['msg']}" for one in error.errors())
            return f"invalid settings: {problems}", failure
        case KafkaConnectionError():
            return f"Kafka does not answer: {SEE_DOCTOR}", COULD_NOT_RUN
        case KafkaError():
            return f"Kafka returned an error ({error}): {SEE_DOCTOR}", COULD_NOT_RUN
        case PostgresError():
            return f"{error}: {SEE_DOCTOR}", COULD_NOT_RUN
        case BlobStoreError():
            return str(error), COULD_NOT_RUN
        case OSError(errno=errno.ENOSPC, filename=None):
            return OUTPUT_LOST.format(error.strerror), failure
        case OSError(filename=str() as path):
            return f"{path}: {error.strerror}", COULD_NOT_RUN
        case OSError():  # refused, reset, no such host; and TimeoutError
            return f"a store does not answer: {SEE_DOCTOR}", COULD_NOT_RUN
    raise error


def _silence_libraries() -> None:
    """Drop the log of libraries, whose errors are printed as sentences; write Piperoll's own to standard error."""
    logging.getLogger().addHandler(logging.NullHandler())
    structlog.configure(
        wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
