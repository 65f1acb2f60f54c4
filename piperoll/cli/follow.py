"""Poll a job until it ends and show its progress: bars on a terminal, a line for each change in a pipe."""

import asyncio
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from rich.markup import escape
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from piperoll.cli.client import ApiClient, Job
from piperoll.cli.console import out, print_line

TERMINAL = ("completed", "failed")
QUICK_S, QUICK_POLL_S = 10.0, 0.05  # poll fast at first, to show the steps of short jobs
POLL_S = 0.5

Show = Callable[[Job], None]


def ended(job: Job) -> bool:
    """Whether the job is completed or failed."""
    return job["status"] in TERMINAL


async def follow(client: ApiClient, job_id: str, show: Show) -> Job:
    """Poll the job until it has ended, show each change and return its final state."""
    began, seen = time.monotonic(), None
    while True:
        job = await client.job(job_id)
        state = (job["status"], job.get("progress"))
        if state != seen:
            seen = state
            show(job)
        if ended(job):
            return job
        await asyncio.sleep(QUICK_POLL_S if time.monotonic() - began < QUICK_S else POLL_S)


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

    def show(self, job: Job) -> None:
        """Update the bars. A step is complete when another step begins or the job completes."""
        now = summary_of(job)
        self._progress.update(
            self._whole, description=_padded(now.state), completed=now.percent, detail=f"{now.percent} %"
        )
        for step, task in self._steps.items():
            if step != now.step and job["status"] != "failed":
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
    """What is shown of a job: a word for its state, the percent, and the current step and page if there are any."""

    state: str
    percent: int
    step: str = ""
    page: int = 0
    pages: int = 0


def summary_of(job: Job) -> JobSummary:
    """Return the summary of a job as read from the API."""
    progress: dict[str, Any] = job.get("progress") or {}
    percent = int(progress.get("percent", 0))
    if ended(job):
        return JobSummary(job["status"], percent)
    if job["status"] == "pending":
        return JobSummary("waiting for a retry" if percent else "waiting for a worker", percent)
    step = str(progress.get("step", "")).replace("_", " ")
    return JobSummary("processing", percent, step, int(progress.get("page") or 0), int(progress.get("pages") or 0))


def _line(job: Job) -> str:
    now = summary_of(job)
    page = f"page {now.page} of {now.pages}" if now.pages else ""
    return f"{now.percent:3d} %  {now.step or now.state:<20} {page}".rstrip()


def _padded(text: str) -> str:
    return escape(f"{text:<22}")
