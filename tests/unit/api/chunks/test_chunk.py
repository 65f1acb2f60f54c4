"""`POST /api/chunk` over a text, and what it refuses."""

from typing import Any

import pytest

from schemas.blocks import Block, BlockKind, Span, block
from schemas.document_json import DOCUMENT, document_json
from services.api.chunks.dividing import chunks_of_document
from services.api.chunks.requests import ChunkBody
from services.api.http.errors import ApiError
from tests.support.stacks.memory_api import MemoryApi

TEXT = "# Pumps\n\nThe heat pump is serviced in May.\n\n## Valves\n\n" + "Each valve is replaced. " * 30


async def chunk(api: MemoryApi, **body: Any) -> Any:
    reply = await api.client.post("/api/chunk", json=body)
    assert reply.status_code == 200, reply.text
    return reply.json()["data"]


async def test_a_text_is_divided_by_heading_and_tokens(api: MemoryApi) -> None:
    answer = await chunk(api, text=TEXT, max_tokens=64, overlap=8)
    first, second, third, *_ = answer["chunks"]
    assert first == {
        "text": "# Pumps\n\nThe heat pump is serviced in May.",
        "tokens": 10,
        "page": None,
        "last_page": None,
        "bbox": None,
        "headings": ["Pumps"],
    }
    assert second["headings"] == third["headings"] == ["Pumps", "Valves"]
    assert all(one["tokens"] <= 64 for one in answer["chunks"])
    assert third["text"].startswith("is replaced. Each valve is replaced.")  # at most 8 tokens before the cut
    assert sum(one["text"].count("Each valve") for one in answer["chunks"]) > 30


async def test_a_plain_text_has_no_headings(api: MemoryApi) -> None:
    answer = await chunk(api, text="# Pumps\n\nserviced", format="text")
    assert [(one["text"], one["headings"]) for one in answer["chunks"]] == [("# Pumps\n\nserviced", [])]


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"text": ""},
        {"text": "a", "job_id": "job-00000000-0000-4000-8000-000000000000"},
        {"text": "a", "max_tokens": 31},
        {"text": "a", "max_tokens": 8193},
        {"text": "a", "max_tokens": "64"},
        {"text": "a", "max_tokens": 64, "overlap": 33},
        {"text": "a", "format": "html"},
        {"text": "a", "size": 3},
    ],
)
async def test_a_wrong_body_is_refused_with_a_sentence(api: MemoryApi, body: dict[str, Any]) -> None:
    reply = await api.client.post("/api/chunk", json=body)
    assert reply.status_code == 400
    assert reply.json()["error"]["message"]


async def test_a_body_beyond_the_limit_is_refused(api: MemoryApi) -> None:
    assert (await api.client.post("/api/chunk", json={"text": "a" * 100_001})).status_code == 413


def test_the_blocks_of_a_job_give_chunks_with_page_box_and_unit() -> None:
    blocks = [
        block(BlockKind.HEADING, "Pumps", 1, page=1),
        Block(BlockKind.PARAGRAPH, (Span("Serviced in May."),), page=2, bbox=(1.0, 2.0, 3.0, 4.0)),
    ]
    content = DOCUMENT.dump_json(document_json("Title", "page", blocks))
    answer = chunks_of_document(content, ChunkBody())
    assert answer["unit"] == "page"
    (one,) = answer["chunks"]
    assert (one["page"], one["last_page"], one["headings"]) == (1, 2, ("Pumps",))


def test_another_file_of_that_name_is_a_conflict() -> None:
    with pytest.raises(ApiError) as caught:
        chunks_of_document(b'{"pages": []}', ChunkBody())
    assert caught.value.status == 409
