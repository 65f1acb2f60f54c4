"""What a completed job made: its files in the blob store, by their names within the run's folder. Read only."""

from collections.abc import AsyncIterator
from dataclasses import dataclass

from piperoll.store.blobs import AsyncBlobs, BlobMissingError
from services.api.http.errors import not_found
from services.api.read_model.job_rows import JobRow

MAX_NAME_CHARS = 1024


@dataclass(frozen=True, slots=True)
class Output:
    """One file: its name, where it lies and how many bytes it has."""

    name: str
    uri: str
    size: int


class Outputs:
    """The files of jobs. Raises BlobStoreError while the store does not answer."""

    def __init__(self, blobs: AsyncBlobs) -> None:
        self._blobs = blobs

    async def find(self, row: JobRow, name: str) -> Output:
        """The file of that name. Raises ApiError NOT_FOUND for names that lead elsewhere, too."""
        if row.job is None or row.job.run is None or not is_name(name):
            raise not_found("file")
        uri = f"{row.job_id}/{row.job.run}/{name}"
        try:
            return Output(name, uri, await self._blobs.size(uri))
        except BlobMissingError as error:
            raise not_found("file") from error

    def chunks(self, output: Output, begin: int = 0, end: int | None = None) -> AsyncIterator[bytes]:
        """The file's bytes from `begin` up to but not including `end`, a bounded chunk at a time."""
        return self._blobs.chunks(output.uri, begin, output.size if end is None else end)


def is_name(name: str) -> bool:
    """Whether a name can be that of an output: relative, printable, no way out of its folder."""
    parts = name.split("/")
    return (
        len(name) <= MAX_NAME_CHARS
        and name.isprintable()
        and "\\" not in name
        and all(part not in ("", ".", "..") for part in parts)
    )
