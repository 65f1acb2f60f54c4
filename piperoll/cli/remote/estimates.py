"""The client command `estimate`."""

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from piperoll.cli.console import counted, entry, print_rows, run_command
from piperoll.cli.remote import completion
from piperoll.cli.remote.jobs import page_range
from piperoll.cli.remote.output import AsJson, length_of, print_json, shown
from piperoll.cli.target import DataDir

if TYPE_CHECKING:
    from piperoll.cli.remote.sources import JobSource
    from piperoll.client import AsyncClient, EstimateView

AT_ONCE = 4
"""Files that are uploaded and estimated at once."""
NAMES = ("file", "pages", "without text", "half take", "9 of 10 take", "problem")


def estimate(
    sources: Annotated[
        list[str], typer.Argument(metavar="FILE|FOLDER|URL...", help="What a job would read; files are uploaded.")
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
    recursive: Annotated[bool, typer.Option("--recursive", help="Look into the folders of folders too.")] = False,
    as_json: AsJson = False,
    data_dir: DataDir = None,
) -> None:
    """Upload files and show what jobs for them would take: pages, expected times and the queue. No job is created, and
    the server deletes uploads without a job after some days. Exit status 1 also if a job would fail."""
    from piperoll.cli.remote.sources import SourceOptions, job_sources

    parameters = page_range(pages) | ({"extraction_method": method} if method else {})
    if include_images:
        parameters["include_images"] = True
    options = SourceOptions(job_type, parameters, recursive)

    async def work() -> int:
        return await _estimate(await asyncio.to_thread(job_sources, sources, options), as_json, data_dir)

    run_command(work())


async def _estimate(sources: "Sequence[JobSource]", as_json: bool, data_dir: Path | None) -> int:
    from piperoll.cli.remote.connection import connected

    working = asyncio.Semaphore(AT_ONCE)

    async def one(client: "AsyncClient", source: "JobSource") -> "EstimateView":
        async with working:
            parameters = dict(source.parameters)
            if source.path is not None:
                parameters["filename"] = (await client.upload(source.path)).filename
            return await client.jobs.estimate(source.job_type, parameters)

    async with connected(data_dir) as client:
        found = await asyncio.gather(*(one(client, source) for source in sources))
    if as_json:
        for source, estimated in zip(sources, found, strict=True):
            print_json({"file": source.name, **estimated.model_dump(mode="json")})
    else:
        _print(sources, found)
    return 1 if any(estimated.problem for estimated in found) else 0


def _print(sources: "Sequence[JobSource]", found: "Sequence[EstimateView]") -> None:
    print_rows(NAMES, [_row(source.name, estimated) for source, estimated in zip(sources, found, strict=True)])
    entry("all", sum_of(found))
    queue = found[-1].queue
    wait = "not known" if queue.wait_s is None else length_of(queue.wait_s) if queue.wait_s else "none"
    entry("queue", f"{counted(queue.jobs_before, 'job')} before, wait {wait}")
    for note in dict.fromkeys(note for estimated in found for note in estimated.notes):
        entry("note", note)


def _row(name: str, estimated: "EstimateView") -> Sequence[str]:
    seconds = estimated.seconds
    return (
        name,
        shown(estimated.pages),
        shown(estimated.pages_without_text),
        length_of(seconds.p50) if seconds else "",
        length_of(seconds.p90) if seconds else "",
        estimated.problem.message if estimated.problem else "",
    )


def sum_of(found: "Sequence[EstimateView]") -> str:
    """Return the sum of the pages and of the work, as far as they are known."""
    pages = [estimated.pages for estimated in found if estimated.pages is not None]
    times = [estimated.seconds.p50 for estimated in found if estimated.seconds]
    unknown = len(found) - len(times)
    left_out = f", without {counted(unknown, 'file')} of which it is not known" if unknown and times else ""
    work = f"about {length_of(sum(times))} of work{left_out}" if times else "the time is not known"
    return f"{counted(len(found), 'file')}, {counted(sum(pages), 'page')}, {work}"
