"""How commands show answers: a table or entries for people, with `--json` one object a line."""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer

from piperoll.cli.console import write_out
from piperoll.cli.remote import completion

if TYPE_CHECKING:
    from pydantic import BaseModel


class OutFormat(StrEnum):
    """What `submit --out` writes of a result."""

    TEXT = "text"
    MARKDOWN = "markdown"
    JSON = "json"


AsJson = Annotated[bool, typer.Option("--json", help="Print JSON and nothing else, one object a line.")]
JobIds = Annotated[
    list[str],
    typer.Argument(metavar="JOB...", help="Ids of jobs, as `submit` printed them.", autocompletion=completion.job_ids),
]
Limit = Annotated[int, typer.Option(min=1, help="How many at most.")]


def print_json(value: "BaseModel | Mapping[str, Any]") -> None:
    """Print an object of an answer on one line, with the names of the API."""
    if isinstance(value, Mapping):
        text = json.dumps(value, ensure_ascii=False)
    else:
        text = value.model_dump_json(exclude_unset=True, by_alias=True)
    write_out(f"{text}\n")


def moment(time: datetime | None) -> str:
    """Return a time in UTC to the second; empty for none."""
    return f"{time:%Y-%m-%d %H:%M:%S}Z" if time else ""


def shown(value: object) -> str:
    """Return a value of a cell; empty for none."""
    return "" if value is None else str(value)


def size_of(size: int | None) -> str:
    """Return a number of bytes as people read it."""
    if size is None:
        return ""
    return f"{size / 1e6:,.1f} MB" if size >= 1e6 else f"{max(1, round(size / 1e3))} kB"


def length_of(seconds: float) -> str:
    """Return a length of time as people read it: whole seconds below two minutes, else minutes or hours and minutes."""
    if seconds < 1:
        return "less than 1 s"
    if seconds < 120:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 120 else f"{minutes // 60} h {minutes % 60} min"


def first_words(text: str, most: int) -> str:
    """Return the beginning of a text on one line."""
    line = " ".join(text.split())
    return line if len(line) <= most else f"{line[: most - 1]}…"


def joined(values: Sequence[str]) -> str:
    """Return values with commas between them."""
    return ", ".join(values)
