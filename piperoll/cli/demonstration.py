"""The demonstration: a real PDF through the real log, from the upload to the webhook, told as it happens.

It is an ordinary client: it knows the API's address and key, and nothing of what stands behind.
"""

import asyncio
import json
import shlex
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.markup import escape

from piperoll.cli.client import ApiClient, Job
from piperoll.cli.console import LABEL_WIDTH, CommandError, complain, entry, heading, out, say, waiting
from piperoll.cli.follow import follow, progress_display
from piperoll.cli.receiver import Receiver
from piperoll.cli.target import Endpoint
from piperoll.embedded.files import write_private

SAMPLE_NAME = "the-pipe-rolls.pdf"
HOOK_S = 60.0  # the outcome is sent at once; after a first refusal again in five seconds
TEXT_LINES, LINE_CHARS = 6, 96
SHOWN_WAIT_S = 0.3  # what is over sooner is not worth a line


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of it: the job as read at its end, the webhook's body if it came, seconds from POST to each."""

    job: Job
    job_s: float
    hook: dict[str, Any] | None
    hook_s: float
    progress_hooks: int


async def demonstrate(endpoint: Endpoint, data_dir: Path, pdf: Path | None) -> str | None:
    """Run `pdf`, or a document of our own, through the system.

    Answers the job's id if it completed and the webhook came, else None after having said what went wrong. Raises
    CommandError when the API refuses.
    """
    heading("The demonstration: a real PDF through the real log")
    async with ApiClient(endpoint) as client, Receiver() as receiver:
        with tempfile.TemporaryDirectory(prefix="piperoll-") as folder:
            document = await asyncio.to_thread(_typeset, Path(folder)) if pdf is None else pdf
            filename = await upload(client, document)
        entry("webhook to", receiver.url)
        # Drawing our own few pages shows off the progress; of the user's file only the text was asked for.
        outcome = await _run(client, receiver, {"filename": filename, "include_images": pdf is None})
        _report(outcome)
        await _recall(client, data_dir, outcome.job)
    if outcome.job["status"] == "completed" and (outcome.hook or {}).get("phase") == "completed":
        return str(outcome.job["job_id"])
    complain(_reason(outcome))
    return None


def _typeset(folder: Path) -> Path:
    # PyMuPDF is large: only who shows the sample waits for it.
    from piperoll.cli.sample import write_sample

    path = folder / SAMPLE_NAME
    write_sample(path)
    return path


async def upload(client: ApiClient, document: Path) -> str:
    """Upload a file, showing how far it is; answer the name by which a job can use it."""
    with waiting(f"Uploading {document.name}") as detail:
        told = time.monotonic()

        def sent(done: int, total: int) -> None:
            nonlocal told
            if time.monotonic() - told >= 1:
                told = time.monotonic()
                detail(f"{done / 1e6:,.1f} of {total / 1e6:,.1f} MB")

        filename = await client.upload(document, sent)
    entry("file", f"{document.name}, {_bytes(document)}, uploaded")
    return filename


def _bytes(path: Path) -> str:
    size = path.stat().st_size
    return f"{size / 1e6:,.1f} MB" if size >= 1e6 else f"{max(1, round(size / 1e3))} kB"


async def _run(client: ApiClient, receiver: Receiver, parameters: dict[str, Any]) -> Outcome:
    began = time.monotonic()
    hook_at: list[float] = []

    async def final() -> dict[str, Any]:
        body = await receiver.final()
        hook_at.append(time.monotonic() - began)
        return body

    webhook = {"url": receiver.url, "token": receiver.token, "jobId": "demonstration"}
    created = await client.create("pdf", {**parameters, "extraction_method": "native", "webhook": webhook})
    entry("job", created["job_id"])
    hook_task = asyncio.create_task(final())
    try:
        with progress_display() as show:
            job = await follow(client, created["job_id"], show)
        job_s = time.monotonic() - began
        hook = await _await_hook(hook_task)
    finally:
        hook_task.cancel()
    return Outcome(job, job_s, hook, hook_at[0] if hook_at else 0.0, receiver.progress)


async def _await_hook(hook: "asyncio.Task[dict[str, Any]]") -> dict[str, Any] | None:
    """The hook's body, waited for in silence if it is about to come."""
    done, _ = await asyncio.wait([hook], timeout=SHOWN_WAIT_S)
    if not done:
        with waiting("Waiting for the webhook"):
            done, _ = await asyncio.wait([hook], timeout=HOOK_S)
    return hook.result() if done else None


def _report(outcome: Outcome) -> None:
    if outcome.hook is not None:
        keys = ", ".join(outcome.hook)
        entry(
            "webhook",
            f"{outcome.hook.get('phase')} after {outcome.hook_s:.2f} s, and {outcome.progress_hooks} times progress "
            f"before that\nits body has {keys}",
        )
    results = outcome.job.get("results")
    if not results:
        return
    content = results["structured_data"]
    entry("pages", str(content["metadata"]["page_count"]))
    if results["assets"]:
        entry("images", f"{len(results['assets'])} in {results['target_dir']}")
    entry("time", f"{outcome.job_s:.2f} s from the POST until it read as completed")
    entry("text", first_lines(content["extracted_text"]))


def first_lines(text: str) -> str:
    """The first lines that have text, none longer than a terminal shows."""
    width = min(LINE_CHARS, max(out.width - LABEL_WIDTH - 2, 20)) if out.is_terminal else LINE_CHARS
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    shown = [line if len(line) <= width else f"{line[: width - 1]}…" for line in lines[:TEXT_LINES]]
    return "\n".join(shown) or "(no text: its pages may be pictures, which need OCR)"


def _reason(outcome: Outcome) -> str:
    job = outcome.job
    if job["status"] != "completed":
        error = job.get("error") or {}
        return f"the job {job['job_id']} failed: {error.get('message')} ({error.get('code')})"
    return f"the job {job['job_id']} completed, but no webhook told so within {HOOK_S:.0f} s: see the notifier's log"


async def _recall(client: ApiClient, data_dir: Path, job: Job) -> None:
    """Show that the first job ever run in this folder is still there; the first run only notes itself."""
    path = data_dir / "demonstration.json"
    try:
        first = str(json.loads(path.read_text(encoding="utf-8"))["first_job"])
    except FileNotFoundError:
        if job["status"] == "completed":
            write_private(path, json.dumps({"first_job": job["job_id"]}))
        return
    except (ValueError, KeyError, TypeError) as error:
        raise CommandError(f"{path} is damaged ({error!r}): delete it, then try again") from error
    earlier = await client.job(first)
    entry("earlier", f"the first job here, {first} of {earlier['created_at']}, still reads {earlier['status']}")


def invitation(endpoint: Endpoint, data_dir: Path, job_id: str | None) -> None:
    """Print where the API is, its key, the logs, and what to try; `job_id` is a job to look at."""
    heading("Ready")
    entry("URL", endpoint.url)
    entry("API key", endpoint.key)
    entry("logs", str(data_dir / "logs"))
    header = shlex.quote(f"Authorization: Bearer {endpoint.key}")
    path = f"jobs/{job_id}" if job_id else "health/ready"
    say("\n  Try:\n")
    say(escape(f"  curl -H {header} {endpoint.url}/api/{path}"))
    say(escape(f"  {_program()} submit YOUR.pdf --wait --data-dir {shlex.quote(str(data_dir))}\n"))


def _program() -> str:
    """How this program was called, so that it can be called again the same way."""
    called = Path(sys.argv[0])
    if called.name == "__main__.py":
        return "python -m piperoll"
    return str(called.relative_to(Path.cwd()) if called.is_relative_to(Path.cwd()) else called)
