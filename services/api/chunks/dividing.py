"""Divides a text or the blocks of a job into chunks: pure but for the tokenizer's file."""

from collections.abc import Iterable
from dataclasses import asdict
from typing import Any

from pydantic import ValidationError

from piperoll.embeddings.pieces import Piece, of_blocks, of_markdown, of_text
from piperoll.embeddings.token_chunks import chunked
from piperoll.embeddings.tokens import MODEL, token_starts
from schemas.document_json import DOCUMENT
from services.api.chunks.requests import ChunkBody
from services.api.http.errors import conflict


def chunks_of_text(text: str, body: ChunkBody) -> dict[str, Any]:
    """Return the answer for a text. Raises EmbeddingUnavailableError."""
    return _answer(of_markdown(text) if body.format == "markdown" else of_text(text), None, body)


def chunks_of_document(content: bytes, body: ChunkBody) -> dict[str, Any]:
    """Return the answer for the file blocks.json of a job. Raises ApiError CONFLICT for another file of that name,
    EmbeddingUnavailableError."""
    try:
        document = DOCUMENT.validate_json(content)
    except ValidationError as error:
        raise conflict("the job has no blocks that can be read") from error
    return _answer(of_blocks(document.blocks), document.unit, body)


def _answer(pieces: Iterable[Piece], unit: str | None, body: ChunkBody) -> dict[str, Any]:
    found = chunked(pieces, body.max_tokens, body.overlap, token_starts)
    return {"tokenizer": MODEL, "unit": unit, "chunks": [asdict(chunk) for chunk in found]}
