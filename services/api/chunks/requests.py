"""The body of `POST /api/chunk` (docs/contract/additions.md#chunks)."""

from collections.abc import Mapping
from typing import Annotated, Any, Final, Literal

from pydantic import Field, StringConstraints

from schemas.fields import NO_NUL
from services.api.http.constraints import Refusal
from services.api.http.errors import invalid_field
from services.api.http.shapes import RequestModel

MAX_CHARACTERS: Final = 1_000_000
MOST_TOKENS: Final = 8192
USUAL_TOKENS: Final = 256
"""The window of the local embedding model."""


class ChunkBody(RequestModel):
    """POST /api/chunk: a text or a job, and the size of chunks."""

    text: (
        Annotated[
            str,
            StringConstraints(min_length=1, max_length=MAX_CHARACTERS, pattern=NO_NUL),
            Refusal("must be a text of {minLength} to {maxLength:,} characters"),
        ]
        | None
    ) = Field(default=None, description="The text to divide")
    format: Annotated[Literal["markdown", "text"], Refusal("must be markdown or text")] = Field(
        default="markdown", description="Whether lines of the text that begin with # are headings"
    )
    job_id: Annotated[str, StringConstraints(max_length=100), Refusal("must be the id of a job")] | None = Field(
        default=None, description="A completed job with output json, instead of a text"
    )
    max_tokens: Annotated[int, Refusal("must be a whole number from {minimum} to {maximum:,}")] = Field(
        default=USUAL_TOKENS, ge=32, le=MOST_TOKENS, description="Tokens of a chunk at most"
    )
    overlap: Annotated[int, Refusal("must be a whole number from {minimum} to {maximum:,}")] = Field(
        default=0, ge=0, le=MOST_TOKENS // 2, description="Tokens at most that a chunk repeats of the one before it"
    )


def chunk_request(values: Mapping[str, Any]) -> ChunkBody:
    """Validate a body. Raises ApiError (400): INVALID_REQUEST, INVALID_PARAMETERS."""
    body = ChunkBody.read(values)
    if (body.text is None) == (body.job_id is None):
        raise invalid_field("text", "is required, or a job_id, and not both")
    if body.overlap > body.max_tokens // 2:
        raise invalid_field("overlap", "must be at most half of max_tokens")
    return body
