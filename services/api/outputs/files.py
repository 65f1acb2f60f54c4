"""The output files of completed jobs in the blob store, by their names within the run's folder. Read only."""

from collections.abc import AsyncIterator
from dataclasses import dataclass

from piperoll.store.blobs import AsyncBlobs, BlobMissingError, BlobUnreadableError
from services.api.http.errors import not_found
from services.api.read_model.job_rows import JobRow

MAX_NAME_CHARS = 1024


@dataclass(frozen=True, slots=True)
class Output:
    """One file: its name, its place in the blob store and its number of bytes."""

    name: str
    uri: str
    size: int


class Outputs:
    """The files of jobs. Raises BlobStoreError while the store does not answer."""

    def __init__(self, blobs: AsyncBlobs) -> None:
        self._blobs = blobs

    async def find(self, row: JobRow, name: str) -> Output:
        """Return the file of that name. Raises ApiError NOT_FOUND, also for names that lead elsewhere."""
        if row.job is None or row.job.run is None or not is_name(name):
            raise not_found("file")
        uri = f"{row.job_id}/{row.job.run}/{name}"
        try:
            return Output(name, uri, await self._blobs.size(uri))
        except (BlobMissingError, BlobUnreadableError) as error:
            raise not_found("file") from error

    def chunks(self, output: Output, begin: int = 0, end: int | None = None) -> AsyncIterator[bytes]:
        """Yield the file's bytes from `begin` up to but not including `end`, a bounded chunk at a time."""
        return self._blobs.chunks(output.uri, begin, output.size if end is None else end)


def is_name(name: str) -> bool:
    """Return whether a text can be an output's name: relative, printable, not leading out of its folder."""
    if len(name) > MAX_NAME_CHARS or not name.isprintable() or "\\" in name:
        return False
    return all(part not in ("", ".", "..") for part in name.split("/"))
