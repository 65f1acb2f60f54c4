"""The words of a page and their boxes: an output that a job keeps beside the picture of the page."""

from collections.abc import Sequence
from typing import Final

import structlog
from pydantic import ValidationError

from piperoll.job_types import job_types
from schemas.pages import WORDS, PageWord
from services.api.http.errors import ApiError
from services.api.outputs.files import Outputs
from services.api.read_model.job_rows import JobRow

MAX_BYTES: Final = 1_000_000
"""A page with more words than fit, about twenty thousand, has no boxes: other requests wait while they are parsed."""

log = structlog.get_logger()


async def words_of(outputs: Outputs, row: JobRow, page: int) -> Sequence[PageWord]:
    """Return the words of a page; none if the job kept none, as of a scan. Raises BlobStoreError."""
    name = job_types().of(row.job_type).words
    if not name:
        return ()
    try:
        output = await outputs.find(row, name.format(page))
    except ApiError:
        return ()
    if output.size > MAX_BYTES:
        return ()
    try:
        return WORDS.validate_json(b"".join([chunk async for chunk in outputs.chunks(output)]))
    except ValidationError:  # by a type that is not ours
        log.warning("page_words_unreadable", uri=output.uri)
        return ()
