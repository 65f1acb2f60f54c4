"""Result tables: their cells, their form on the terminal, and Markdown for RESULTS.md."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from statistics import quantiles

from rich.console import Console
from rich.table import Table as RichTable

MIB = 1024 * 1024
Row = Sequence[str]
SECTION = "\n## "
APART = "Measured apart from the rest:"
INTRODUCTION = (
    "Written by `make bench ARGS=--write`. The services, the load generator and the programs of each comparison run in "
    "separate processes; the tables include their CPU time. The aims are the project's own; “reached” compares the "
    "measured value with the aim."
)


class SkippedError(Exception):
    """A part cannot be measured on this machine. The message names the reason and what to do."""


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of text under a title. `note` describes how the rows were measured."""

    title: str
    columns: Sequence[str]
    rows: Sequence[Row]
    note: str = ""


def show(console: Console, table: Table) -> None:
    """Print a table."""
    shown = RichTable(*table.columns, title=table.title, title_justify="left", caption=table.note or None)
    for column in shown.columns[1:]:
        column.justify = "right"
    for row in table.rows:
        shown.add_row(*row)
    console.print(shown)
    console.print()


def markdown(machine: Sequence[str], tables: Sequence[Table]) -> str:
    """Return the content of RESULTS.md."""
    about = "\n".join(f"- {line}." for line in machine)
    return "\n".join(["# What Piperoll does on one machine", "", INTRODUCTION, "", about, "", *map(_section, tables)])


def replaced(content: str, machine: Sequence[str], tables: Sequence[Table]) -> str:
    """Return RESULTS.md with new sections in place of those with the same titles, others at the end.

    Each names the machine and the time of its measurement.
    """
    head, *sections = content.split(SECTION)
    by_title = {section.partition("\n")[0]: section for section in sections}
    for table in tables:
        noted = replace(table, note="\n\n".join(filter(None, (table.note, f"{APART} {'; '.join(machine)}."))))
        by_title[table.title] = _section(noted).removeprefix(SECTION.lstrip())
    return SECTION.join([head, *(section.rstrip("\n") + "\n" for section in by_title.values())])


def _section(table: Table) -> str:
    head = f"| {' | '.join(table.columns)} |"
    line = f"|{'|'.join(['---', *['---:'] * (len(table.columns) - 1)])}|"
    body = [f"| {' | '.join(row)} |" for row in table.rows]
    note = ["", table.note] if table.note else []
    return "\n".join([f"## {table.title}", "", head, line, *body, *note, ""])


def mib(size: float) -> str:
    """Format bytes as whole MiB."""
    return f"{size / MIB:,.0f}"


def at_least(what: str, value: float, aim: float, detail: str) -> Row:
    """Return a row whose value should reach the aim."""
    shown = f"{value:.2f}" if aim < 10 else f"{value:,.0f}"
    return what, shown, f"≥ {aim:g}", f"{value / aim:.0%}", detail


def at_most(what: str, milliseconds: float, aim: float, detail: str) -> Row:
    """Return a row whose time should not exceed the aim."""
    return what, f"{milliseconds:.0f} ms", f"≤ {aim:g} ms", f"{aim / milliseconds:.0%}", detail


def p50_p99(seconds: Sequence[float]) -> tuple[float, float]:
    """Return the 50th and the 99th percentile, in milliseconds."""
    cuts = quantiles(seconds, n=100, method="inclusive")
    return 1000 * cuts[49], 1000 * cuts[98]
