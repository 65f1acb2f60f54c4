"""The live table of many files: a bar for each that is going on and a sum on a terminal, lines in a pipe."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from piperoll.cli.console import out, print_line
from piperoll.cli.remote.output import length_of
from piperoll.cli.remote.progress import summary_of
from piperoll.client import JobView

NAME_WIDTH = 40  # of a job's id
MOST_BARS = 12


class FileTable:
    """Shows files by their names. Without a `progress`, in a pipe, each state that lasts is a line."""

    def __init__(self, count: int, progress: Progress | None) -> None:
        self._progress = progress
        self._bars: dict[str, TaskID] = {}
        self._names: dict[str, str] = {}
        self._ends: dict[str, float] = {}
        self._sum = progress.add_task("all", total=count, detail="") if progress else None

    def uploading(self, name: str, done: int, total: int) -> None:
        """Show how much of a file is uploaded, in bytes."""
        self._bar(name, done / total * 100 if total else 0, "uploading")

    def created(self, name: str, job_id: str) -> None:
        """Show that a file has its job."""
        self._names[job_id] = name
        self._bar(name, 0, "waiting for a worker")

    def changed(self, job: JobView) -> None:
        """Show a state of a job, if it is that of a file."""
        if (name := self._names.get(job.job_id)) and not job.ended:
            now = summary_of(job)
            self._bar(name, now.percent, ", ".join(filter(None, (now.step or now.state, now.left))))
            self._expect(name, now.left_s)

    def ended(self, name: str, text: str) -> None:
        """Show the end of a file for good, and take its bar away."""
        print_line(f"  {escape(f'{_cut(name):<{NAME_WIDTH}}')}  {escape(text)}")
        if self._progress is not None and self._sum is not None:
            self._progress.advance(self._sum)
            self._expect(name, None)
            if (bar := self._bars.pop(name, None)) is not None:
                self._progress.remove_task(bar)

    def _expect(self, name: str, left_s: float | None) -> None:
        """Note how long a file takes from now, and show how long all do: as long as the one that ends last."""
        now = time.monotonic()
        self._ends.pop(name, None)
        if left_s is not None:
            self._ends[name] = now + left_s
        if self._progress is not None and self._sum is not None:
            last_s = max(self._ends.values(), default=now) - now
            detail = f"about {length_of(last_s)} left" if self._ends else ""
            self._progress.update(self._sum, detail=detail)

    def _bar(self, name: str, percent: float, detail: str) -> None:
        if self._progress is None:
            return
        if name not in self._bars:
            if len(self._bars) >= MOST_BARS:
                return
            self._bars[name] = self._progress.add_task(escape(_cut(name)), total=100, detail="")
        self._progress.update(self._bars[name], completed=percent, detail=escape(detail))


def _cut(name: str) -> str:
    return name if len(name) <= NAME_WIDTH else f"…{name[-NAME_WIDTH + 1 :]}"


@contextmanager
def file_table(count: int, *, bars: bool = True) -> Iterator[FileTable]:
    """Yield the table of `count` files; on a terminal its bars are gone at the end, and its lines stay."""
    if not bars or not out.is_terminal:
        yield FileTable(count, None)
        return
    columns = (
        TextColumn("  {task.description}"),
        BarColumn(bar_width=24),
        MofNCompleteColumn(),
        TextColumn("{task.fields[detail]}"),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=out, transient=True) as progress:
        yield FileTable(count, progress)
