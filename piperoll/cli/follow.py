"""Follows a job until it ends, and shows how it comes along: a bar on a terminal, a line for each step in a pipe."""

import asyncio
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from rich.markup import escape
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from piperoll.cli.client import ApiClient, Job
from piperoll.cli.console import out, say

TERMINAL = ("completed", "failed")
QUICK_S, QUICK_POLL_S = 10.0, 0.05  # most jobs take a second or two, and their steps are worth seeing
POLL_S = 0.5

Show = Callable[[Job], None]


def ended(job: Job) -> bool:
    """Whether nothing will change any more."""
    return job["status"] in TERMINAL


async def follow(client: ApiClient, job_id: str, show: Show) -> Job:
    """Read the job until it has ended, showing each change; answer its last state."""
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
    """What shows a job's changes; on a terminal the bar stays as the last line of the wait."""
    if not out.is_terminal:
        yield lambda job: say(f"  {_line(job)}")
        return
    columns = (
        TextColumn("  {task.description}"),
        BarColumn(bar_width=32),
        TextColumn("{task.percentage:>3.0f} %"),
        TimeElapsedColumn(),
        TextColumn("[dim]{task.fields[detail]}[/dim]"),
    )
    with Progress(*columns, console=out) as progress:
        task = progress.add_task("waiting for a worker", total=100, detail="")
        yield lambda job: _update(progress, task, job)


def _update(progress: Progress, task: TaskID, job: Job) -> None:
    step, percent, detail = describe(job)
    progress.update(task, description=f"{step:<20}", completed=percent, detail=escape(detail))


def _line(job: Job) -> str:
    step, percent, detail = describe(job)
    return escape(f"{percent:3d} %  {step:<20} {detail}".rstrip())


def describe(job: Job) -> tuple[str, int, str]:
    """The step in words, the percent, and the page or the message."""
    progress: dict[str, Any] = job.get("progress") or {}
    if job["status"] == "failed":
        return "failed", int(progress.get("percent", 0)), str((job.get("error") or {}).get("message", ""))
    if job["status"] == "pending" and not progress.get("percent"):
        return "waiting for a worker", 0, ""
    page, pages = progress.get("page"), progress.get("pages")
    detail = f"page {page} of {pages}" if page and pages else str(progress.get("message") or "")
    return str(progress.get("step", job["status"])).replace("_", " "), int(progress.get("percent", 0)), detail
