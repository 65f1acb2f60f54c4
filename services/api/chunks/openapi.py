"""The OpenAPI description of `/api/chunk` (docs/contract/additions.md#chunks)."""

from services.api.chunks.requests import ChunkBody
from services.api.openapi.grammar import data, json_body, operation

_TEXT = "# Pumps\n\nThe heat pump is serviced in May.\n\n## Valves\n\nEach valve is replaced after ten years."
_EXAMPLE = {
    "tokenizer": "all-MiniLM-L6-v2",
    "unit": None,
    "chunks": [
        {
            "text": "# Pumps\n\nThe heat pump is serviced in May.",
            "tokens": 10,
            "page": None,
            "last_page": None,
            "bbox": None,
            "headings": ["Pumps"],
        }
    ],
}

CHUNK = operation(
    "Divide a text or a job's document into chunks",
    {200: data(_EXAMPLE, "The chunks, in order")},
    (400, 404, 409),
    json_body(ChunkBody, {"text": _TEXT, "max_tokens": 64, "overlap": 8}),
)
