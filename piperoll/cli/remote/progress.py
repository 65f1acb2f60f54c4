"""The progress of a job: bars on a terminal, a line for each change in a pipe."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from rich.markup import escape
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from piperoll.cli.console import out, print_line
from piperoll.cli.remote.connection import about
from piperoll.cli.remote.output import length_of
from piperoll.client import AsyncClient, JobView

Show = Callable[[JobView], None]


async def follow(client: AsyncClient, job_id: str, show: Show) -> JobView:
    """Show each change of a job until it has ended, and return its final state. Raises CommandError."""
    with about(job_id):
        async for job in client.jobs.watch(job_id):
            show(job)
        return job


@contextmanager
def progress_display() -> Iterator[Show]:
    """Yield a function that shows a job's state; on a terminal the bars remain after the job's end."""
    if not out.is_terminal:
        yield lambda job: print_line(f"  {escape(_line(job))}")
        return
    columns = (
        TextColumn("  {task.description}"),
        BarColumn(bar_width=32),
        TextColumn("{task.fields[detail]:<14}"),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=out) as progress:
        yield _Bars(progress).show


class _Bars:
    """A bar for the whole job, and below it one for each step."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._whole = progress.add_task(_padded("waiting for a worker"), total=100, detail="")
        self._steps: dict[str, TaskID] = {}

    def show(self, job: JobView) -> None:
        """Update the bars. A step is complete when another step begins or the job completes."""
        now = summary_of(job)
        self._progress.update(
            self._whole,
            description=_padded(now.state),
            completed=now.percent,
            detail=f"{now.percent} %  {now.left}".rstrip(),
        )
        for step, task in self._steps.items():
            if step != now.step and job.status != "failed":
                self._complete(task)
        if now.step:
            self._show_step(now)

    def _show_step(self, now: "JobSummary") -> None:
        task = self._steps.get(now.step)
        if task is None:
            task = self._steps[now.step] = self._progress.add_task(_padded(f"  {now.step}"), total=None, detail="")
        if now.pages:
            pages = f"page {now.page} of {now.pages}"
            self._progress.update(task, total=now.pages, completed=now.page, detail=pages)

    def _complete(self, task: TaskID) -> None:
        pages = self._progress.tasks[task].total or 1
        detail = f"{pages:.0f} pages" if pages > 1 else ""
        self._progress.update(task, total=pages, completed=pages, detail=detail)
        self._progress.stop_task(task)


@dataclass(frozen=True, slots=True)
class JobSummary:
    """What is shown of a job: a word for its state, the percent, and the current step and page if there are any.
    `left_s` is how many seconds it will take from now, if that is known."""

    state: str
    percent: int
    step: str = ""
    page: int = 0
    pages: int = 0
    left_s: float | None = None

    @property
    def left(self) -> str:
        """How long it will still take; empty if that is not known."""
        return "" if self.left_s is None else f"about {length_of(self.left_s)} left"


def summary_of(job: JobView) -> JobSummary:
    """Return the summary of a job as read from the API."""
    progress = job.progress
    percent = progress.percent if progress else 0
    left_s = job.eta.seconds if job.eta else None
    if job.ended:
        return JobSummary(job.status, percent)
    if job.status == "pending":
        return JobSummary("waiting for a retry" if percent else "waiting for a worker", percent, left_s=left_s)
    if progress is None:
        return JobSummary("processing", percent, left_s=left_s)
    step = progress.step.replace("_", " ")
    return JobSummary("processing", percent, step, progress.page or 0, progress.pages or 0, left_s)


def _line(job: JobView) -> str:
    now = summary_of(job)
    page = f"page {now.page} of {now.pages}" if now.pages else ""
    return f"{now.percent:3d} %  {now.step or now.state:<20} {page:<16} {now.left}".rstrip()


def _padded(text: str) -> str:
    return escape(f"{text:<22}")
