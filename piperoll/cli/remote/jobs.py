"""The client commands `submit` and `watch`."""

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from piperoll.cli.console import CommandError, entry, print_line, run_command, warn
from piperoll.cli.remote import completion
from piperoll.cli.remote.output import AsJson, JobIds, OutFormat, print_json
from piperoll.cli.target import DataDir

if TYPE_CHECKING:
    from piperoll.cli.remote.sources import JobSource
    from piperoll.cli.remote.submission import SubmissionOptions
    from piperoll.client import AsyncClient


def submit(
    sources: Annotated[
        list[str], typer.Argument(metavar="FILE|FOLDER|URL...", help="What is read; files are uploaded.")
    ],
    job_type: Annotated[
        str,
        typer.Option(
            "--type", help="The job type; by default the one for such files.", autocompletion=completion.job_type_names
        ),
    ] = "",
    method: Annotated[
        str | None, typer.Option(help="The extraction method, of PDFs.", autocompletion=completion.methods)
    ] = None,
    pages: Annotated[str, typer.Option(help="Which pages of PDFs, such as 3, 1-3, 5- or -4.")] = "",
    include_images: Annotated[bool, typer.Option("--include-images", help="Also render the pages as images.")] = False,
    template: Annotated[str | None, typer.Option(help="A template that is filled from the text, of PDFs.")] = None,
    webhook: Annotated[str, typer.Option(help="A URL that receives progress and result.")] = "",
    recursive: Annotated[bool, typer.Option("--recursive", help="Look into the folders of folders too.")] = False,
    batch: Annotated[str | None, typer.Option(metavar="NAME", help="Create all jobs at once, as a batch.")] = None,
    out_folder: Annotated[
        Path | None, typer.Option("--out", metavar="FOLDER", help="Wait, and write the result of each file to FOLDER.")
    ] = None,
    out_format: Annotated[
        OutFormat,
        typer.Option("--format", help="Of --out: text, with .md if it is Markdown, or the whole result."),
    ] = OutFormat.TEXT,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on with the jobs that an earlier call created for the same content.")
    ] = False,
    wait: Annotated[bool, typer.Option("--wait", help="Show the progress until the jobs have ended.")] = False,
    as_json: AsJson = False,
    data_dir: DataDir = None,
) -> None:
    """Upload files, create a job for each and print the jobs' ids. Nothing is sent if one of them is refused."""
    from piperoll.cli.remote.out_folder import OutFolder
    from piperoll.cli.remote.sources import JobSource, SourceOptions, job_sources
    from piperoll.cli.remote.submission import SubmissionOptions

    given = {"extraction_method": method, "template": template, "webhook": {"url": webhook} if webhook else None}
    parameters = {name: value for name, value in given.items() if value is not None} | page_range(pages)
    if include_images:
        parameters["include_images"] = True

    async def work() -> int:
        planned: list[JobSource] = await asyncio.to_thread(
            job_sources, sources, SourceOptions(job_type, parameters, recursive)
        )
        out = None if out_folder is None else OutFolder(out_folder, out_format)
        options = SubmissionOptions(wait or out is not None, batch, out, resume, as_json)
        return await _submit(planned, options, data_dir)

    run_command(work())


def watch(
    job_ids: JobIds,
    as_json: AsJson = False,
    data_dir: DataDir = None,
) -> None:
    """Show the progress of jobs until they have ended. Exit status 0 if all of them completed."""
    run_command(_watch(list(dict.fromkeys(job_ids)), as_json, data_dir))


def page_range(text: str) -> dict[str, int]:
    """Return the job parameters for `3`, `1-3`, `5-`, `-4` or an empty text. Raises typer.BadParameter."""
    if not text:
        return {}
    first, dash, last = (part.strip() for part in text.partition("-"))
    given = {"page_start": first, "page_end": last if dash else first}
    if not any(given.values()) or not all(number.isdecimal() for number in given.values() if number):
        raise typer.BadParameter(f"{text!r} is not a page range: write 3, 1-3, 5- or -4", param_hint="--pages")
    return {name: int(number) for name, number in given.items() if number}


async def _submit(sources: "list[JobSource]", options: "SubmissionOptions", data_dir: Path | None) -> int:
    from piperoll.cli.remote.connection import connected
    from piperoll.cli.remote.results import upload
    from piperoll.cli.remote.submission import BulkSubmission

    if options.out is not None:
        options.out.require_writable()
    first = sources[0]
    async with connected(data_dir) as client:
        if len(sources) > 1 or options.batch is not None or options.out is not None or options.resume:
            return await BulkSubmission(client, options).run(sources)
        parameters = dict(first.parameters)
        if first.path is not None:
            file = first.path
            quiet = options.as_json
            parameters["filename"] = (await client.upload(file)).filename if quiet else await upload(client, file)
        parameters["target_id"] = await asyncio.to_thread(first.target)
        job = await client.jobs.create(first.job_type, parameters)
        if not options.wait:
            print_json(job) if options.as_json else entry("job", job.job_id)
            return 0
        if not options.as_json:
            entry("job", job.job_id)
        return await _follow(client, job.job_id, options.as_json, data_dir)


async def _watch(job_ids: list[str], as_json: bool, data_dir: Path | None) -> int:
    from piperoll.cli.remote.connection import connected
    from piperoll.cli.remote.watching import watch_all

    async with connected(data_dir) as client:
        if len(job_ids) > 1:
            return await watch_all(client, job_ids, as_json)
        return await _follow(client, job_ids[0], as_json, data_dir)


async def _follow(client: "AsyncClient", job_id: str, as_json: bool, data_dir: Path | None) -> int:
    from piperoll.cli.remote.progress import follow, progress_display
    from piperoll.cli.remote.results import failure_sentence, first_lines, origin_of_result, whole_text

    try:
        if as_json:
            job = await follow(client, job_id, lambda _: None)
            print_json(job)
            return 0 if job.completed else 1
        with progress_display() as show:
            job = await follow(client, job_id, show)
    except asyncio.CancelledError:
        warn(f"stopped; the job goes on: `piperoll watch {job_id}` shows it, `piperoll cancel {job_id}` stops it")
        raise
    if not job.completed:
        raise CommandError(failure_sentence(job))
    if origin := origin_of_result(job):
        entry("result", origin)
    if "extracted_text" in job.data:
        entry("text", first_lines(job.data["extracted_text"], whole_text(job_id, data_dir)))
    print_line()
    return 0
