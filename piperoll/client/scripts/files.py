"""Uploads, and downloads that continue where a cut connection left them."""

import os
from pathlib import Path
from typing import BinaryIO
from urllib.parse import unquote

from piperoll.client.errors import NotReadyError, UnexpectedAnswerError, UnreachableError
from piperoll.client.exchange import answered, asked, part, viewed
from piperoll.client.sources import Sent, Source, part_of
from piperoll.client.views.documents import UploadView
from piperoll.client.wire import ApiReply, ApiRequest, Pause, Read, Script, TransportFault, policy

ACCEPTED, PARTIAL = 202, 206
MOST_CUTS = 8


def upload(source: Source, *, name: str | None = None, sent: Sent | None = None) -> Script[UploadView]:
    """Upload a file, streamed; jobs take the `filename` of the answer as their parameter.

    It is sent again after a lost answer if it can be read again; an upload that no job uses is deleted by its age.
    `sent` is called with the bytes that were sent, and their total.
    """
    file = part_of(source, name, {}, sent)
    return viewed(UploadView, (yield from answered(ApiRequest("POST", "/api/files", file=file))))


def download(job_id: str, name: str, to: str | os.PathLike[str]) -> Script[Path]:
    """Write a file of a job to the path, or into the folder, `to`, and return its path.

    `name` is an entry of the job's `asset_urls`, or the part of one behind `/files/`. Raises NotReadyError before the
    job's end.
    """
    inner = file_name(job_id, name)
    path = "/".join(part(unquote(one)) for one in inner.split("/"))
    target = Path(to) / Path(unquote(inner)).name if Path(to).is_dir() else Path(to)
    return (yield from _written(f"/api/jobs/{part(job_id)}/files/{path}", target))


def download_archive(job_id: str, to: str | os.PathLike[str]) -> Script[Path]:
    """Write the job's archive, a ZIP, to the path, or into the folder, `to`, and return its path."""
    target = Path(to) / f"{job_id}.zip" if Path(to).is_dir() else Path(to)
    return (yield from _written(f"/api/jobs/{part(job_id)}/download-archive", target))


def file_content(job_id: str, name: str) -> Script[bytes]:
    """Return a file of a job. Raises NotReadyError before the job's end."""
    path = "/".join(part(unquote(one)) for one in file_name(job_id, name).split("/"))
    reply = yield from asked(ApiRequest("GET", f"/api/jobs/{part(job_id)}/files/{path}"))
    return _ready(reply, job_id).content


def file_name(job_id: str, name: str) -> str:
    """Return the part of an asset's URL behind `/files/`."""
    return name.partition(f"/api/jobs/{job_id}/files/")[2] or name.lstrip("/")


def _written(path: str, target: Path) -> Script[Path]:
    """Write beside the target first, so that a file of that name is always whole."""
    beside = target.with_name(f".{target.name}.part")
    try:
        with beside.open("wb") as file:
            yield from _copied(path, file)
        beside.replace(target)
    finally:
        beside.unlink(missing_ok=True)
    return target


def _copied(path: str, file: BinaryIO) -> Script[None]:
    rules = yield from policy()
    for cuts in range(1, MOST_CUTS + 1):
        done = file.tell()
        headers = {"Range": f"bytes={done}-"} if done else {}
        reply = _ready((yield from asked(ApiRequest("GET", path, headers=headers), stream=True)), path)
        if done and reply.status != PARTIAL:
            file.seek(0)
            file.truncate()
        while isinstance(piece := (yield Read()), bytes) and piece:
            file.write(piece)
        if not isinstance(piece, TransportFault):
            return
        yield Pause(rules.pause(cuts))
    raise UnreachableError(f"the download of {path} was cut off {MOST_CUTS} times")


def _ready(reply: ApiReply, what: str) -> ApiReply:
    if reply.status == ACCEPTED:
        raise NotReadyError(f"{what}: the job has not ended")
    if reply.status not in (200, PARTIAL):
        raise UnexpectedAnswerError(f"{what} was answered with HTTP {reply.status}")
    return reply
