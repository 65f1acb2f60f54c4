"""The client commands `submit` and `watch`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from piperoll.cli.console import CommandError, entry, out, print_line, run_command
from piperoll.cli.target import DataDir

if TYPE_CHECKING:
    from piperoll.client import AsyncClient, JobView

AsJson = Annotated[bool, typer.Option("--json", help="Print the job as JSON and nothing else.")]


def submit(
    file: Annotated[Path, typer.Argument(help="The PDF; it is uploaded.")],
    method: Annotated[str, typer.Option(help="The extraction method.")] = "native",
    pages: Annotated[str, typer.Option(help="Which pages, such as 3, 1-3, 5- or -4.")] = "",
    include_images: Annotated[bool, typer.Option("--include-images", help="Also render the pages as images.")] = False,
    webhook: Annotated[str, typer.Option(help="A URL that receives progress and result.")] = "",
    wait: Annotated[bool, typer.Option("--wait", help="Wait until the job has ended and show its progress.")] = False,
    as_json: AsJson = False,
    data_dir: DataDir = None,
) -> None:
    """Upload a PDF, create a job for it and print the job's id."""
    parameters: dict[str, Any] = {"extraction_method": method, "include_images": include_images, **page_range(pages)}
    if webhook:
        parameters["webhook"] = {"url": webhook}
    if not file.is_file():
        raise typer.BadParameter(f"{file} is not a file: give the path of a PDF", param_hint="FILE")
    run_command(_submit(file, parameters, wait, as_json, data_dir))


def watch(
    job_id: Annotated[str, typer.Argument(help="The job's id, as `submit` printed it.")],
    as_json: AsJson = False,
    data_dir: DataDir = None,
) -> None:
    """Show a job's progress until it has ended. Exit status 0 if it completed."""
    run_command(_watch(job_id, as_json, data_dir))


def page_range(text: str) -> dict[str, int]:
    """Return the job parameters for `3`, `1-3`, `5-`, `-4` or an empty text. Raises typer.BadParameter."""
    if not text:
        return {}
    first, dash, last = (part.strip() for part in text.partition("-"))
    given = {"page_start": first, "page_end": last if dash else first}
    if not any(given.values()) or not all(number.isdecimal() for number in given.values() if number):
        raise typer.BadParameter(f"{text!r} is not a page range: write 3, 1-3, 5- or -4", param_hint="--pages")
    return {name: int(number) for name, number in given.items() if number}


async def _submit(file: Path, parameters: dict[str, Any], wait: bool, as_json: bool, data_dir: Path | None) -> int:
    from piperoll.cli.remote.connection import connected
    from piperoll.cli.remote.results import upload

    async with connected(data_dir) as client:
        filename = (await client.upload(file)).filename if as_json else await upload(client, file)
        job = await client.jobs.create("pdf", {"filename": filename, **parameters})
        if not wait:
            _print_json(job) if as_json else entry("job", job.job_id)
            return 0
        if not as_json:
            entry("job", job.job_id)
        return await _follow(client, job.job_id, as_json, data_dir)


async def _watch(job_id: str, as_json: bool, data_dir: Path | None) -> int:
    from piperoll.cli.remote.connection import connected

    async with connected(data_dir) as client:
        return await _follow(client, job_id, as_json, data_dir)


async def _follow(client: "AsyncClient", job_id: str, as_json: bool, data_dir: Path | None) -> int:
    from piperoll.cli.remote.progress import follow, progress_display
    from piperoll.cli.remote.results import failure_sentence, first_lines, origin_of_result, whole_text

    if as_json:
        job = await follow(client, job_id, lambda _: None)
        _print_json(job)
        return 0 if job.completed else 1
    with progress_display() as show:
        job = await follow(client, job_id, show)
    if not job.completed:
        raise CommandError(failure_sentence(job))
    if origin := origin_of_result(job):
        entry("result", origin)
    if "extracted_text" in job.data:
        entry("text", first_lines(job.data["extracted_text"], whole_text(job_id, data_dir)))
    print_line()
    return 0


def _print_json(job: "JobView") -> None:
    out.file.write(job.model_dump_json(exclude_unset=True) + "\n")
