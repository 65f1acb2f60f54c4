"""The layout models in a confined child with its memory limit."""

import json

import pytest

from schemas.document_json import DOCUMENT
from services.worker.children.protocol import Completed
from tests.support.children import assignment, ignore, running_pool
from tests.support.files import layouts

MEMORY_BYTES = 256 * 1024**2
"""Too little for the models."""


async def result_of(tmp_path, job_type, **changed):
    path = str(layouts.report(tmp_path / "a.pdf"))
    async with running_pool(tmp_path, **changed) as pool:
        outcome = await pool.run(assignment(tmp_path, job_type, filename=path, output="json"), ignore)
    assert isinstance(outcome, Completed), outcome
    return json.loads((tmp_path / "blobs" / outcome.result.uri).read_text())["structured_data"]


@pytest.mark.parametrize("job_type", ["pdf", "extraction"])
async def test_the_structure_of_a_pdf_is_found_in_a_sandbox(tmp_path, job_type):
    data = await result_of(tmp_path, job_type)
    kinds = {block.kind.value for block in DOCUMENT.validate_python(data["document"]).blocks}
    assert {"heading", "list_item", "table", "code", "caption", "page_header", "page_footer"} <= kinds
    assert data["metadata"]["warnings"] == []


@pytest.mark.parametrize("job_type", ["pdf", "extraction"])
async def test_without_the_memory_for_the_models_the_text_stands_in_paragraphs(tmp_path, job_type):
    data = await result_of(tmp_path, job_type, job_memory_bytes=MEMORY_BYTES)
    assert {block.kind.value for block in DOCUMENT.validate_python(data["document"]).blocks} == {"paragraph"}
    assert data["metadata"]["warnings"] == [
        "The structure of pages 1, 2 could not be found: the text stands there in paragraphs."
    ]
    assert "failed_pages" not in data["metadata"]
