"""Output of the commands: colour and live progress on a terminal, plain lines in a pipe, errors on standard error."""

import asyncio
import logging
import os
import sys
import time
from collections.abc import Callable, Coroutine, Iterator
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

INTERRUPTED = 130  # 128 + SIGINT, as shells report it
LABEL_WIDTH = 11


class _Output(Console):
    """Discards output once the pipe is closed, so that `piperoll up | head` does not stop the services."""

    def on_broken_pipe(self) -> None:
        self.quiet = True
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


out = _Output(highlight=False)


class CommandError(Exception):
    """A command failed; the message names the cause and what to do."""


def print_line(text: str = "") -> None:
    """Print a line of rich markup; in a pipe it is neither coloured nor wrapped."""
    out.print(text, soft_wrap=True)


def heading(text: str) -> None:
    """Print a heading with an empty line before and after it."""
    print_line(f"\n[bold]{escape(text)}[/bold]\n")


def entry(label: str, text: str) -> None:
    """Print a labelled line; further lines of `text` are indented below the first."""
    first, *rest = text.splitlines() or [""]
    print_line(f"  [dim]{label:<{LABEL_WIDTH}}[/dim]{escape(first)}")
    for line in rest:
        print_line(f"  {'':<{LABEL_WIDTH}}{escape(line)}")


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

    Yields a function that shows a line of detail. Prints `done` with the elapsed seconds when no error was raised.
    """
    began = time.monotonic()
    if out.is_terminal:
        columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
        with Progress(*columns, console=out, transient=True) as progress:
            task = progress.add_task(escape(text))
            yield lambda detail: progress.update(task, description=f"{escape(text)}  [dim]{escape(detail)}[/dim]")
    else:
        print_line(escape(text))
        yield lambda detail: print_line(f"  {escape(detail)}")
    if done:
        print_line(f"  {escape(done)} [dim]({time.monotonic() - began:.1f} s)[/dim]")


def run_command(main: Coroutine[Any, Any, int], failure: int = 1) -> NoReturn:
    """Run a command and exit with its code; on an expected error print a sentence and exit with `failure`."""
    # Expected errors only: all others are bugs and keep their traceback.
    from aiokafka.errors import KafkaError
    from asyncpg import PostgresError
    from pydantic import ValidationError

    from piperoll.certificates import CertificateError
    from piperoll.embedded.errors import StackError
    from piperoll.store.blobs import BlobStoreError
    from schemas.envelope import UnknownEventError

    _silence_libraries()
    try:
        code = asyncio.run(main)
    except (CommandError, CertificateError, StackError, UnknownEventError) as error:
        code = _failed(str(error), failure)
    except ValidationError as error:
        problems = "; ".join(f"PIPEROLL_{str(one['loc'][0]).upper()}: {one['msg']}" for one in error.errors())
        code = _failed(f"invalid settings: {problems}", failure)
    except KafkaError as error:
        code = _failed(f"Kafka returned an error ({error}): does it run at PIPEROLL_KAFKA_BOOTSTRAP?", failure)
    except (PostgresError, BlobStoreError, OSError, TimeoutError) as error:
        code = _failed(f"{error or type(error).__name__}: are Postgres, Kafka and the blob store running?", failure)
    except KeyboardInterrupt:
        code = INTERRUPTED
    sys.stdout.flush()
    raise typer.Exit(code)


def _silence_libraries() -> None:
    """Drop the log of libraries, whose errors are printed as sentences; write Piperoll's own to standard error."""
    logging.getLogger().addHandler(logging.NullHandler())
    structlog.configure(
        wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )


def _failed(text: str, code: int) -> int:
    print_error(text)
    return code
