"""The verdicts as tables on a terminal and as JSON."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from bench.reading.verdicts import TOLERATED, Verdict, lines, worst

HEADINGS = (
    "kind",
    "category",
    "files",
    "words in the source",
    "words read",
    f"files that lack over {TOLERATED:.0%}",
    "silent",
)


def summary(verdicts: Sequence[Verdict]) -> dict[str, Any]:
    """Return the numbers of all files as JSON."""
    judged = [verdict for verdict in verdicts if verdict.recalls]
    return {
        "files": len(verdicts),
        "outcomes": dict(Counter(verdict.outcome for verdict in verdicts)),
        "judged": len(judged),
        "lossy": sum(bool(verdict.lost) for verdict in judged),
        "silent": sum(verdict.silent for verdict in judged),
        "categories": [asdict(line) for line in lines(judged)],
    }


def as_json(verdicts: Sequence[Verdict]) -> dict[str, Any]:
    """Return the summary, and every file with its outcome."""
    return {
        **summary(verdicts),
        "verdicts": [{**asdict(one), "lost": one.lost, "silent": one.silent} for one in verdicts],
    }


def show(console: Console, verdicts: Sequence[Verdict], count: int) -> None:
    """Print the table, the `count` worst files, and those that were not read."""
    table = Table(*HEADINGS)
    for line in lines(verdicts):
        table.add_row(line.kind, line.category, *(f"{number:,}" for number in list(asdict(line).values())[2:]))
    console.print(table)
    for verdict in worst(verdicts, count):
        console.print(f"[bold]{escape(verdict.path)}[/bold]{' (silent)' if verdict.silent else ''}")
        for name in verdict.lost:
            recall = verdict.recalls[name]
            console.print(
                f"  {name}: {recall.read:,} of {recall.words:,} words; missing: {escape(', '.join(recall.sample))}"
            )
    for verdict in verdicts:
        if verdict.outcome != "read":
            console.print(f"{escape(verdict.path)}: {verdict.outcome}, {escape(verdict.reason)}")
    found = summary(verdicts)
    outcomes = ", ".join(f"{number} {name}" for name, number in found["outcomes"].items())
    console.print(f"{found['files']} files: {outcomes}")
    console.print(f"{found['judged']} judged, {found['lossy']} lost words, {found['silent']} of them silently")
