"""Chunks and vectors in the binary format of Postgres's COPY (its manual, "COPY"; pgvector's `vector_recv`). Pure.

Text takes several times as long, because each number is formatted and parsed.
"""

import math
import struct
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields

from schemas.documents import IndexedChunk

MOST_DIMENSIONS = 16_000  # of pgvector's type
LARGEST_FLOAT = 3.4e38  # of a 4-byte float, roughly; the values of models are far smaller

SIGNATURE = b"PGCOPY\n\xff\r\n\x00" + struct.pack(">ii", 0, 0)
TRAILER = struct.pack(">h", -1)


@dataclass(frozen=True, slots=True)
class Chunk:
    """A row of the chunks table, its fields in the order of the copied columns."""

    job_id: str
    position: int
    folder_id: str
    document_id: str
    number: int
    text: str
    embedding: tuple[float, ...]


CHUNK_COLUMNS = [column.name for column in fields(Chunk)]


def refusal(chunks: Iterable[IndexedChunk], dimensions: int) -> str | None:
    """Why the table would reject these vectors, or None."""
    for chunk in chunks:
        if len(chunk.vector) != dimensions:
            return f"chunk {chunk.number} has {len(chunk.vector)} numbers, the index has {dimensions}"
        if not all(map(math.isfinite, chunk.vector)) or max(map(abs, chunk.vector)) > LARGEST_FLOAT:
            return f"chunk {chunk.number} has numbers that are not 4-byte floats"
    return None


def copy_rows(chunks: Iterable[Chunk]) -> bytes:
    """Rows in the binary format of COPY, with header and trailer. The chunks must have passed `refusal`."""
    parts = [SIGNATURE]
    for one in chunks:
        parts.append(struct.pack(">h", len(CHUNK_COLUMNS)))
        parts += map(_field, (getattr(one, name) for name in CHUNK_COLUMNS))
    return b"".join([*parts, TRAILER])


def packed(vector: Sequence[float]) -> bytes:
    """A vector in pgvector's wire format: its dimensions, a reserved number, 4-byte floats."""
    return struct.pack(f">hh{len(vector)}f", len(vector), 0, *vector)


def _field(value: str | int | tuple[float, ...]) -> bytes:
    match value:
        case int():
            return struct.pack(">ii", 4, value)
        case str():
            content = value.encode()
        case _:
            content = packed(value)
    return struct.pack(">i", len(content)) + content
