"""The results as tables: on the terminal, and as Markdown for RESULTS.md."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from rich.console import Console
from rich.table import Table as RichTable


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of text under a heading. `note` says what must be known to read them."""

    title: str
    columns: Sequence[str]
    rows: list[Sequence[str]] = field(default_factory=list)
    note: str = ""


def show(console: Console, table: Table) -> None:
    """Prints a table."""
    shown = RichTable(*table.columns, title=table.title, title_justify="left", caption=table.note or None)
    for column in shown.columns[1:]:
        column.justify = "right"
    for row in table.rows:
        shown.add_row(*row)
    console.print(shown)
    console.print()


def markdown(machine: Sequence[str], tables: Sequence[Table]) -> str:
    """The whole document."""
    about = "\n".join(f"- {line}." for line in machine)
    return "\n".join(["# What Piperoll does on one machine", "", INTRODUCTION, "", about, "", *map(_section, tables)])


INTRODUCTION = (
    "Written by `make bench ARGS=--write`. Each part runs in a process of its own, the load generator too; how much "
    "CPU it took is in the tables. Aims are the project's own; “reached” compares the measurement with the aim."
)


def _section(table: Table) -> str:
    head = f"| {' | '.join(table.columns)} |"
    line = f"|{'|'.join(['---', *['---:'] * (len(table.columns) - 1)])}|"
    body = [f"| {' | '.join(row)} |" for row in table.rows]
    note = ["", table.note] if table.note else []
    return "\n".join([f"## {table.title}", "", head, line, *body, *note, ""])
