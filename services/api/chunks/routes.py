"""`POST /api/chunk`: a text, or the document of a job, as chunks for a search or a language model."""

from collections.abc import Callable
from functools import partial
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import Response

from piperoll.domain.job import Status
from piperoll.embeddings import EmbeddingUnavailableError
from schemas.errors import ErrorCode
from schemas.job_types.values import OUTPUT_FILES
from services.api.chunks import openapi
from services.api.chunks.dividing import chunks_of_document, chunks_of_text
from services.api.chunks.requests import ChunkBody, chunk_request
from services.api.http.admission import admission_of
from services.api.http.answers import success
from services.api.http.bodies import read_json
from services.api.http.caller import caller_of, note_read
from services.api.http.errors import ApiError, UnavailableError, conflict
from services.api.http.routing import Routes, route
from services.api.jobs.reading import Reading
from services.api.outputs.files import Outputs

MAX_BYTES: Final = 8_000_000
"""Of a document's blocks: some thousand pages."""
NO_BLOCKS: Final = "the job has no blocks: use a completed job that was created with output json"
BLOCKS: Final = OUTPUT_FILES["json"][0]


class ChunkRoutes(Routes, tag="jobs"):
    """`/api/chunk`."""

    reading: Reading
    outputs: Outputs
    max_body_bytes: int

    @route("POST", "/api/chunk", operation=openapi.CHUNK)
    async def chunk(self, request: Request) -> Response:
        """Return the chunks of a text, or of the blocks of a completed job. Nothing is stored."""
        body = chunk_request((await read_json(request, self.max_body_bytes)).value)
        work: Callable[[], dict[str, Any]]
        if body.text is not None:
            work = partial(chunks_of_text, body.text, body)
        else:
            work = partial(chunks_of_document, await self._blocks(request, body), body)
        try:
            return success(await admission_of(request).compute(work))
        except EmbeddingUnavailableError as error:
            raise UnavailableError(ErrorCode.PROVIDER_ERROR, str(error)) from error

    async def _blocks(self, request: Request, body: ChunkBody) -> bytes:
        """Return the file blocks.json of a job. Raises ApiError: NOT_FOUND for a job that the owner does not have,
        CONFLICT for one without the file, or with a larger one than MAX_BYTES; BlobStoreError."""
        row = await self.reading.job(body.job_id or "", caller_of(request).owner)
        missing = conflict(NO_BLOCKS, job_id=row.job_id, status=row.status.value)
        if row.status is not Status.COMPLETED:
            raise missing
        try:
            output = await self.outputs.find(row, BLOCKS)
        except ApiError as error:
            raise missing from error
        if output.size > MAX_BYTES:
            raise conflict(f"the document's blocks have more than {MAX_BYTES:,} bytes", job_id=row.job_id)
        note_read(request, row.job_id)
        return b"".join([chunk async for chunk in self.outputs.chunks(output)])
