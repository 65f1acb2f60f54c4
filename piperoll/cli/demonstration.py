"""The demonstration: process a PDF through the HTTP API, from the upload to the webhook, and print each step."""

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

from piperoll.cli.console import (
    CommandError,
    counted,
    entry,
    heading,
    print_error,
    print_line,
    waiting,
)
from piperoll.cli.receiver import Receiver
from piperoll.cli.remote.connection import about, connected_to
from piperoll.cli.remote.progress import follow, progress_display
from piperoll.cli.remote.results import failure_sentence, first_lines, origin_of_result, upload, whole_text
from piperoll.cli.target import ApiAccess
from piperoll.client import AsyncClient, JobView
from piperoll.embedded.files import write_private

SAMPLE_NAME = "the-pipe-rolls.pdf"
HOOK_S = 60.0  # the webhook is sent at once and, if that fails, again after five seconds
SHOWN_WAIT_S = 0.3  # shorter waits are not shown


@dataclass(frozen=True, slots=True)
class DemonstrationResult:
    """The ended job, the body of its final webhook if one arrived, and the seconds from the POST to each."""

    job: JobView
    job_s: float
    hook: dict[str, Any] | None
    hook_s: float
    progress_hooks: int


async def demonstrate(access: ApiAccess, data_dir: Path, pdf: Path | None) -> str | None:
    """Process `pdf` or the sample document; return the job's id, None after a failure. Raises CommandError."""
    heading("Demonstration: a PDF from the upload to the webhook")
    async with connected_to(access) as client, Receiver() as receiver:
        with tempfile.TemporaryDirectory(prefix="piperoll-") as folder:
            document = await asyncio.to_thread(_typeset, Path(folder)) if pdf is None else pdf
            filename = await upload(client, document)
        entry("webhook to", receiver.url)
        # Page images make the progress of the short sample visible; a user's file may be long, so only text there.
        result = await _run(client, receiver, {"filename": filename, "include_images": pdf is None})
        _report(result, data_dir)
        await _show_first_job(client, data_dir, result.job)
    if result.job.completed and (result.hook or {}).get("phase") == "completed":
        return result.job.job_id
    print_error(_reason(result))
    return None


def _typeset(folder: Path) -> Path:
    # Imported here since PyMuPDF is slow to import.
    from piperoll.cli.sample import write_sample

    path = folder / SAMPLE_NAME
    write_sample(path)
    return path


async def _run(client: AsyncClient, receiver: Receiver, parameters: dict[str, Any]) -> DemonstrationResult:
    began = time.monotonic()
    hook_at: list[float] = []

    async def final() -> dict[str, Any]:
        body = await receiver.final()
        hook_at.append(time.monotonic() - began)
        return body

    webhook = {"url": receiver.url, "token": receiver.token, "jobId": "demonstration"}
    created = await client.jobs.create("pdf", {**parameters, "extraction_method": "native", "webhook": webhook})
    entry("job", created.job_id)
    hook_task = asyncio.create_task(final())
    try:
        with progress_display() as show:
            job = await follow(client, created.job_id, show)
        job_s = time.monotonic() - began
        hook = await _await_hook(hook_task)
    finally:
        hook_task.cancel()
    return DemonstrationResult(job, job_s, hook, hook_at[0] if hook_at else 0.0, receiver.progress)


async def _await_hook(hook: "asyncio.Task[dict[str, Any]]") -> dict[str, Any] | None:
    """Return the webhook's body, None after HOOK_S seconds; a wait of less than SHOWN_WAIT_S is not shown."""
    done, _ = await asyncio.wait([hook], timeout=SHOWN_WAIT_S)
    if not done:
        with waiting("Waiting for the webhook"):
            done, _ = await asyncio.wait([hook], timeout=HOOK_S)
    return hook.result() if done else None


def _report(result: DemonstrationResult, data_dir: Path) -> None:
    if result.hook is not None:
        before = counted(result.progress_hooks, "progress webhook")
        entry(
            "webhook",
            f"{result.hook.get('phase')} after {result.hook_s:.2f} s; {before} before it\n"
            f"keys of its body: {', '.join(result.hook)}",
        )
    results, content = result.job.results, result.job.data
    if not results:
        return
    entry("pages", str(content["metadata"]["page_count"]))
    if results["assets"]:
        entry("images", f"{len(results['assets'])} in {results['target_dir']}")
    entry("time", f"{result.job_s:.2f} s from the POST until the job was completed")
    if origin := origin_of_result(result.job):
        entry("result", origin)
    entry("text", first_lines(content["extracted_text"], whole_text(result.job.job_id, data_dir)))


def _reason(result: DemonstrationResult) -> str:
    job = result.job
    if not job.completed:
        return failure_sentence(job)
    return f"the job {job.job_id} completed, but no webhook arrived within {HOOK_S:.0f} s: see the notifier's log"


async def _show_first_job(client: AsyncClient, data_dir: Path, job: JobView) -> None:
    """Show the first job run with this data folder; the first run only stores its job id."""
    path = data_dir / "demonstration.json"
    try:
        first = str(json.loads(path.read_text(encoding="utf-8"))["first_job"])
    except FileNotFoundError:
        if job.completed:
            write_private(path, json.dumps({"first_job": job.job_id}))
        return
    except (ValueError, KeyError, TypeError) as error:
        raise CommandError(f"{path} is damaged ({error!r}): delete it, then try again") from error
    with about(first):
        earlier = await client.jobs.get(first)
    created = earlier.created_at.isoformat().replace("+00:00", "Z")
    entry("earlier", f"the first job in this folder, {first} of {created}, is still {earlier.status}")


def print_ready(access: ApiAccess, data_dir: Path, job_id: str | None) -> None:
    """Print the API's URL, its key, the folder of logs and commands to try; `job_id` is a job to show."""
    heading("Ready")
    entry("URL", access.url)
    entry("API key", access.key)
    entry("logs", str(data_dir / "logs"))
    header = shlex.quote(f"Authorization: Bearer {access.key}")
    path = f"jobs/{job_id}" if job_id else "health/ready"
    print_line("\n  Try:\n")
    print_line(escape(f"  curl -H {header} {access.url}/api/{path}"))
    print_line(escape(f"  {_program()} submit YOUR.pdf --wait --data-dir {shlex.quote(str(data_dir))}\n"))


def _program() -> str:
    """Return the command by which this program was called."""
    called = Path(sys.argv[0])
    if called.name == "__main__.py":
        return "python -m piperoll"
    return str(called.relative_to(Path.cwd()) if called.is_relative_to(Path.cwd()) else called)
