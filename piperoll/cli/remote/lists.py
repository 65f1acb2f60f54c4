"""The commands that list: `jobs`, `batches`, `documents`, `endpoints`, and `search`."""

from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer

from piperoll.cli.console import CouldNotRunError, print_rows, run_command
from piperoll.cli.remote import completion
from piperoll.cli.remote.output import AsJson, Limit, first_words, joined, moment, print_json, shown, size_of
from piperoll.cli.target import DataDir

if TYPE_CHECKING:
    from pydantic import BaseModel

    from piperoll.client import AsyncClient

T = TypeVar("T", bound="BaseModel")
HIT_CHARS = 80
Status = Annotated[
    str | None,
    typer.Option(help="Only pending, processing, completed or failed ones.", autocompletion=completion.statuses),
]


def jobs(
    status: Status = None,
    job_type: Annotated[
        str | None, typer.Option("--type", help="Only jobs of this type.", autocompletion=completion.job_type_names)
    ] = None,
    find: Annotated[
        str | None, typer.Option(metavar="WORDS", help="Only jobs with words that begin with these.")
    ] = None,
    batch: Annotated[str | None, typer.Option(help="Only jobs of this batch.")] = None,
    limit: Limit = 20,
    as_json: AsJson = False,
    data_dir: DataDir = None,
) -> None:
    """List jobs, the newest first."""
    names = ("id", "type", "status", "percent", "created", "file")

    def found(client: "AsyncClient") -> AsyncIterator[Any]:
        return client.jobs.list(status=status, job_type=job_type, batch_id=batch, q=find, page=min(limit, 200))

    def row(job: Any) -> Sequence[str]:
        percent = f"{job.progress.percent} %" if job.progress else ""
        return (job.job_id, job.job_type, job.status, percent, moment(job.created_at), file_of(job.parameters))

    run_command(_listed(found, names, row, limit, as_json, data_dir))


def batches(status: Status = None, limit: Limit = 20, as_json: AsJson = False, data_dir: DataDir = None) -> None:
    """List batches, the newest first."""
    names = ("id", "name", "status", "jobs", "completed", "failed", "created")

    def row(batch: Any) -> Sequence[str]:
        counts = map(str, (batch.job_count, batch.completed_count, batch.failed_count))
        return (batch.batch_id, batch.batch_name, batch.status, *counts, moment(batch.created_at))

    run_command(_listed(lambda client: client.batches.list(status=status), names, row, limit, as_json, data_dir))


def documents(limit: Limit = 20, as_json: AsJson = False, data_dir: DataDir = None) -> None:
    """List documents, the newest first."""
    names = ("id", "name", "status", "size", "created")

    def row(one: Any) -> Sequence[str]:
        return (one.id, one.name, shown(one.status), size_of(one.size), moment(one.created_at))

    run_command(_listed(lambda client: client.documents.list(), names, row, limit, as_json, data_dir))


def endpoints(limit: Limit = 20, as_json: AsJson = False, data_dir: DataDir = None) -> None:
    """List registered webhook endpoints, the newest first."""
    names = ("id", "url", "statuses", "created")

    async def found(client: "AsyncClient") -> AsyncIterator[Any]:
        for one in await client.endpoints.list():
            yield one

    def row(one: Any) -> Sequence[str]:
        return (one.id, shown(one.url), joined(one.statuses), moment(one.created_at))

    run_command(_listed(found, names, row, limit, as_json, data_dir))


def search(
    text: Annotated[str, typer.Argument(help="What to look for; words of the same meaning are found too.")],
    folder: Annotated[str | None, typer.Option(help="The folder's id or name; without it the only one.")] = None,
    limit: Limit = 10,
    as_json: AsJson = False,
    data_dir: DataDir = None,
) -> None:
    """Search the documents of a folder by meaning, the best hit first."""

    async def found(client: "AsyncClient") -> AsyncIterator[Any]:
        folder_id = await _folder_of(client, folder)
        for hit in await client.folders.search(folder_id, text, limit=limit):
            yield hit

    def row(hit: Any) -> Sequence[str]:
        return (f"{hit.score:.3f}", hit.name or hit.document_id, str(hit.chunk), first_words(hit.text, HIT_CHARS))

    run_command(_listed(found, ("score", "document", "chunk", "text"), row, limit, as_json, data_dir))


async def _folder_of(client: "AsyncClient", named: str | None) -> str:
    folders = [one async for one in client.folders.list()]
    fitting = [one.id for one in folders if named in (None, one.id, one.name)]
    if len(fitting) == 1:
        return fitting[0]
    known = joined([f"{one.name} ({one.id})" for one in folders]) or "none"
    raise CouldNotRunError(f"name one folder with --folder, by its id or name: there are {known}")


async def _listed(
    found: "Callable[[AsyncClient], AsyncIterator[T]]",
    names: Sequence[str],
    row: Callable[[T], Sequence[str]],
    limit: int,
    as_json: bool,
    data_dir: Path | None,
) -> int:
    from piperoll.cli.remote.connection import connected

    taken: list[T] = []
    async with connected(data_dir) as client:
        async for one in found(client):
            taken.append(one)
            if len(taken) == limit:
                break
    if as_json:
        for one in taken:
            print_json(one)
    else:
        print_rows(names, map(row, taken))
    return 0


def file_of(parameters: Any) -> str:
    """Return the name of the file, or the address, that a job reads."""
    source = str(parameters.get("filename") or parameters.get("url") or parameters.get("document_id") or "")
    return source if "://" in source and not source.startswith("upload://") else source.rpartition("/")[2]
