"""What the commands say: colour and live progress on a terminal, plain lines in a pipe, errors on standard error.

No command lives here, and nothing that knows a job.
"""

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
    """Goes on in silence when nobody reads any more: `piperoll up | head` is no reason to let services go."""

    def on_broken_pipe(self) -> None:
        self.quiet = True
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


out = _Output(highlight=False)


class CommandError(Exception):
    """A command cannot do what it was asked; the message is a sentence that says what to do."""


def say(text: str = "") -> None:
    """Print a line of rich markup; in a pipe it is neither coloured nor wrapped."""
    out.print(text, soft_wrap=True)


def heading(text: str) -> None:
    """Print a heading with an empty line before and after it."""
    say(f"\n[bold]{escape(text)}[/bold]\n")


def entry(label: str, text: str) -> None:
    """Print a labelled line; further lines of `text` stand under the first."""
    first, *rest = text.splitlines() or [""]
    say(f"  [dim]{label:<{LABEL_WIDTH}}[/dim]{escape(first)}")
    for line in rest:
        say(f"  {'':<{LABEL_WIDTH}}{escape(line)}")


def complain(text: str) -> None:
    """Print an error on standard error."""
    Console(stderr=True, highlight=False).print(f"[red]error:[/red] {escape(text)}", soft_wrap=True)


def warn(text: str) -> None:
    """Print a warning on standard error."""
    Console(stderr=True, highlight=False).print(f"[yellow]warning:[/yellow] {escape(text)}", soft_wrap=True)


@contextmanager
def counting(text: str, unit: str) -> Iterator[Callable[[int, int], None]]:
    """Show how far something is: a bar on a terminal, a line a second in a pipe. Yields what to tell: done, of all."""
    if out.is_terminal:
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
        with Progress(*columns, console=out, transient=True) as progress:
            task = progress.add_task(escape(f"{text}, {unit}"), total=None)
            yield lambda done, total: progress.update(task, completed=done, total=total)
        return
    say(escape(text))
    told = time.monotonic()

    def tell(done: int, total: int) -> None:
        nonlocal told
        if time.monotonic() - told >= 1:
            told = time.monotonic()
            say(f"  {done:,} of {total:,} {unit}")

    yield tell


@contextmanager
def waiting(text: str, done: str = "") -> Iterator[Callable[[str], None]]:
    """Show that something takes its time: a spinner with the seconds on a terminal, lines in a pipe.

    Yields what to call with a line of detail. When all went well and `done` is given, prints it with the time taken.
    """
    began = time.monotonic()
    if out.is_terminal:
        columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
        with Progress(*columns, console=out, transient=True) as progress:
            task = progress.add_task(escape(text))
            yield lambda detail: progress.update(task, description=f"{escape(text)}  [dim]{escape(detail)}[/dim]")
    else:
        say(escape(text))
        yield lambda detail: say(f"  {escape(detail)}")
    if done:
        say(f"  {escape(done)} [dim]({time.monotonic() - began:.1f} s)[/dim]")


def run_command(main: Coroutine[Any, Any, int], failure: int = 1) -> NoReturn:
    """Run a command to its end and leave with its exit code, or with `failure` and a sentence."""
    # What stops a command that is no fault of ours: named here so that everything else keeps its traceback.
    from aiokafka.errors import KafkaError
    from asyncpg import PostgresError
    from pydantic import ValidationError

    from piperoll.embedded.errors import StackError
    from piperoll.store.blobs import BlobStoreError
    from schemas.envelope import UnknownEventError

    _hush_libraries()
    try:
        code = asyncio.run(main)
    except (CommandError, StackError, UnknownEventError) as error:
        code = _failed(str(error), failure)
    except ValidationError as error:
        problems = "; ".join(f"PIPEROLL_{str(one['loc'][0]).upper()}: {one['msg']}" for one in error.errors())
        code = _failed(f"the settings make no sense: {problems}", failure)
    except KafkaError as error:
        code = _failed(f"Kafka did not do what was asked ({error}): is it up at PIPEROLL_KAFKA_BOOTSTRAP?", failure)
    except (PostgresError, BlobStoreError, OSError, TimeoutError) as error:
        code = _failed(f"{error or type(error).__name__}: are Postgres, Kafka and the blob store up?", failure)
    except KeyboardInterrupt:
        code = INTERRUPTED
    sys.stdout.flush()
    raise typer.Exit(code)


def _hush_libraries() -> None:
    """What a library logs on the way to an error, the error says better; ours goes to standard error."""
    logging.getLogger().addHandler(logging.NullHandler())
    structlog.configure(
        wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )


def _failed(text: str, code: int) -> int:
    complain(text)
    return code
