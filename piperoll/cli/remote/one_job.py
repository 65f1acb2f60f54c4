"""The commands about named jobs: `show`, `logs`, `download`, `cancel`, `restart`, `erase`, `events`, `deliveries`."""

from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any
from urllib.parse import unquote

import typer

from piperoll.cli.console import CommandError, entry, print_error, print_rows, run_command, write_out
from piperoll.cli.remote import completion
from piperoll.cli.remote.lists import file_of
from piperoll.cli.remote.output import AsJson, JobIds, length_of, moment, print_json, shown
from piperoll.cli.target import DataDir

if TYPE_CHECKING:
    from piperoll.client import AsyncClient, JobView

JobId = Annotated[
    str,
    typer.Argument(metavar="JOB", help="The job's id, as `submit` printed it.", autocompletion=completion.job_ids),
]


def show(
    job_id: JobId,
    text: Annotated[bool, typer.Option("--text", help="Print the text of the result and nothing else.")] = False,
    as_json: AsJson = False,
    data_dir: DataDir = None,
) -> None:
    """Show a job: status, progress, error and what it wrote."""

    async def work(client: "AsyncClient", job_id: str) -> None:
        job = await client.jobs.get(job_id)
        if as_json:
            print_json(job)
        elif text:
            if not job.completed:
                raise CommandError(f"the job {job_id} has no result: it is {job.status}")
            write_out(job.text.removesuffix("\n") + "\n")
        else:
            _print_job(job)

    run_command(_each([job_id], work, data_dir))


def _print_job(job: "JobView") -> None:
    entry("job", job.job_id)
    entry("type", job.job_type)
    entry("status", "cancelled" if job.cancelled else job.status)
    details = {
        "file": file_of(job.parameters),
        "progress": f"{job.progress.percent} %, {job.progress.step.replace('_', ' ')}" if job.progress else "",
        "left": f"about {length_of(job.eta.seconds)}, until {moment(job.eta.time)}" if job.eta else "",
        "created": moment(job.created_at),
        "ended": moment(job.completed_at),
        "attempt": shown(job.attempt or ""),
        "batch": shown(job.batch_id),
        "restart of": shown(job.retry_of),
        "error": f"{job.error.message} ({job.error.code})" if job.error else "",
        "files": "\n".join(job.asset_urls),
        "text": f"{len(job.text):,} characters: `piperoll show {job.job_id} --text` prints it" if job.text else "",
    }
    for label, value in details.items():
        if value:
            entry(label, value)


def logs(job_id: JobId, as_json: AsJson = False, data_dir: DataDir = None) -> None:
    """Print the log of a job: its attempts, their warnings and notes, and failed webhooks, oldest first."""

    async def work(client: "AsyncClient", job_id: str) -> None:
        lines = (await client.jobs.get(job_id)).logs
        _print_list(
            lines,
            ("time", "level", "message"),
            [(moment(one.timestamp), one.level, one.message) for one in lines],
            as_json,
        )

    run_command(_each([job_id], work, data_dir))


def download(
    job_ids: JobIds,
    to: Annotated[Path, typer.Option("--out", help="The folder to write to; created if it is missing.")] = Path(),
    as_json: AsJson = False,
    data_dir: DataDir = None,
) -> None:
    """Write the text and the files of jobs to a folder, those of each job to a folder named by its id."""

    async def work(client: "AsyncClient", job_id: str) -> None:
        job = await client.jobs.get(job_id)
        if not job.completed:
            raise CommandError(f"it has no result: it is {job.status}")
        folder = to / job_id
        folder.mkdir(parents=True, exist_ok=True)
        written = [await client.jobs.download(job_id, url, place_of(folder, job_id, url)) for url in job.asset_urls]
        if job.text:
            written.append(folder / "text.md")
            written[-1].write_text(job.text, encoding="utf-8")
        if as_json:
            print_json({"job_id": job_id, "files": [str(path) for path in written]})
        else:
            entry(job_id, "\n".join(map(str, written)) or "it wrote no files")

    run_command(_each(job_ids, work, data_dir))


def place_of(folder: Path, job_id: str, url: str) -> Path:
    """Return where a file of a job is written, its folder made. Raises CommandError for one outside of `folder`."""
    from piperoll.client.scripts.files import file_name

    place = folder / unquote(file_name(job_id, url))
    if not place.resolve().is_relative_to(folder.resolve()) or place == folder:
        raise CommandError(f"the API names a file outside of the job's folder: {url}")
    place.parent.mkdir(parents=True, exist_ok=True)
    return place


def cancel(
    job_ids: JobIds,
    reason: Annotated[str | None, typer.Option(help="A short reason, which the job's error names.")] = None,
    as_json: AsJson = False,
    data_dir: DataDir = None,
) -> None:
    """Stop jobs."""

    async def work(client: "AsyncClient", job_id: str) -> None:
        _report(await client.jobs.cancel(job_id, reason=reason), "cancelled", as_json)

    run_command(_each(job_ids, work, data_dir))


def restart(job_ids: JobIds, as_json: AsJson = False, data_dir: DataDir = None) -> None:
    """Run jobs again, each as a new job, and print the new ids."""

    async def work(client: "AsyncClient", job_id: str) -> None:
        job = await client.jobs.restart(job_id)
        _report(job, f"restart of {job_id}", as_json)

    run_command(_each(job_ids, work, data_dir))


def erase(
    job_ids: JobIds,
    yes: Annotated[bool, typer.Option("--yes", help="Do it; without it nothing is erased.")] = False,
    as_json: AsJson = False,
    data_dir: DataDir = None,
) -> None:
    """Stop jobs, and erase everything that they read and wrote. It cannot be undone."""

    async def work(client: "AsyncClient", job_id: str) -> None:
        if not yes:
            job = await client.jobs.get(job_id)
            raise CommandError(f"it is {job.status}; repeat the command with --yes to erase it for good")
        await client.jobs.erase(job_id)
        if as_json:
            print_json({"job_id": job_id, "erased": True})
        else:
            entry(job_id, "erased")

    run_command(_each(job_ids, work, data_dir))


def events(job_id: JobId, as_json: AsJson = False, data_dir: DataDir = None) -> None:
    """List the facts of a job, in the order of the log."""

    async def work(client: "AsyncClient", job_id: str) -> None:
        facts = [fact async for fact in client.jobs.history(job_id)]
        rows = [(str(one.sequence), moment(one.time), one.type.split(".")[1], _details(one.data)) for one in facts]
        _print_list(facts, ("no", "time", "fact", "details"), rows, as_json)

    run_command(_each([job_id], work, data_dir))


def deliveries(job_id: JobId, as_json: AsJson = False, data_dir: DataDir = None) -> None:
    """List every attempt at a job's webhook and at registered endpoints."""

    async def work(client: "AsyncClient", job_id: str) -> None:
        attempts = await client.jobs.deliveries(job_id)
        rows = [
            (moment(one.time), one.outcome, one.phase, str(one.attempt), shown(one.status), shown(one.reason))
            for one in attempts
        ]
        _print_list(attempts, ("time", "outcome", "phase", "attempt", "status", "reason"), rows, as_json)

    run_command(_each([job_id], work, data_dir))


def _details(data: Any) -> str:
    return ", ".join(f"{name} {value}" for name, value in data.items() if isinstance(value, str | int | float))


def _report(job: "JobView", what: str, as_json: bool) -> None:
    if as_json:
        print_json(job)
    else:
        entry(job.job_id, what)


def _print_list(views: Sequence[Any], names: Sequence[str], rows: Sequence[Sequence[str]], as_json: bool) -> None:
    if as_json:
        for view in views:
            print_json(view)
    else:
        print_rows(names, rows)


async def _each(
    job_ids: Sequence[str], work: "Callable[[AsyncClient, str], Awaitable[None]]", data_dir: Path | None
) -> int:
    """Do the work for each job, also after one that failed. Returns 1 if one failed."""
    from piperoll.cli.remote.connection import about, connected

    failed = 0
    async with connected(data_dir) as client:
        for job_id in dict.fromkeys(job_ids):
            try:
                with about(job_id):
                    await work(client, job_id)
            except CommandError as error:
                failed += 1
                named = str(error)
                print_error(named if job_id in named else f"{job_id}: {named}")
    return 1 if failed else 0
