"""Uploads and results as commands show them."""

import shlex
import time
from pathlib import Path

from piperoll.cli.console import LABEL_WIDTH, counted, entry, out, waiting
from piperoll.cli.remote.output import size_of
from piperoll.client import AsyncClient, JobView

TEXT_LINES, LINE_CHARS = 6, 96


async def upload(client: AsyncClient, document: Path) -> str:
    """Upload a file, show the progress and return the `filename` for a job's parameters."""
    with waiting(f"Uploading {document.name}") as detail:
        reported = time.monotonic()

        def sent(done: int, total: int) -> None:
            nonlocal reported
            if time.monotonic() - reported >= 1:
                reported = time.monotonic()
                detail(f"{done / 1e6:,.1f} of {total / 1e6:,.1f} MB")

        uploaded = await client.upload(document, sent=sent)
    entry("file", f"{document.name}, {size_of(uploaded.size)}, uploaded")
    return uploaded.filename


def first_lines(text: str, whole: str) -> str:
    """Return the first lines that are not blank, cut to the width of the terminal.

    If that is not the whole text, a last line has `whole`, which states where that is.
    """
    width = min(LINE_CHARS, max(out.width - LABEL_WIDTH - 2, 20)) if out.is_terminal else LINE_CHARS
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    shown = [line if len(line) <= width else f"{line[: width - 1]}…" for line in lines[:TEXT_LINES]]
    left = len(lines) - len(shown)
    if left:
        shown.append(f"… {counted(left, 'more line')}: {whole}")
    elif shown != lines:
        shown.append(f"… {whole}")
    return "\n".join(shown) or "(no text: the pages may be images, which need OCR)"


def whole_text(job_id: str, data_dir: Path | None) -> str:
    """Return the sentence that names the command which prints a job's whole text."""
    folder = f" --data-dir {shlex.quote(str(data_dir))}" if data_dir else ""
    return f"`piperoll watch {job_id} --json{folder}` prints all of it"


def origin_of_result(job: JobView) -> str:
    """Return a sentence if the job's result was copied from the cache, else an empty text."""
    if not job.is_from_cache:
        return ""
    return "copied from the cache, since an equal job was completed before; with `force_refresh` a job runs again"


def failure_sentence(job: JobView) -> str:
    """Return why a job failed."""
    error = job.error
    return f"the job {job.job_id} failed: {error.message} ({error.code})" if error else f"{job.job_id}: {job.status}"


def end_sentence(job: JobView) -> str:
    """Return how a job ended, and why it failed, for a line of a table."""
    state = "cancelled" if job.cancelled else job.status
    return f"{state}  {job.error.message} ({job.error.code})" if job.error and not job.cancelled else state
