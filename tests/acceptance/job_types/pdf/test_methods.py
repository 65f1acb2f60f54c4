"""Every extraction method of the `pdf` job as its users meet it: over HTTP, through the four services, with hooks."""

import pytest

from schemas.job_types.pdf import PdfParameters
from tests.support.clients.pdf import done, fresh
from tests.support.runs.pdf import scanned, typed
from tests.support.servers.mistral import MistralServer
from tests.support.servers.website import Website
from tests.support.stacks.system import System

GERMAN = "Größe der Straße: Übermaß"


async def test_a_scanned_page_is_read_by_local_ocr_within_the_memory_of_a_child(system: System) -> None:
    job = await done(system, scanned(fresh(system), [GERMAN, None], size=(595, 842)), "combined")
    data = job["results"]["structured_data"]
    assert GERMAN in data["extracted_text"]
    assert [(e["page"], e["method"]) for e in data["metadata"]["text_contents"]] == [
        *((1, "native"), (1, "ocr")),
        *((2, "native"), (2, "ocr")),
    ]
    assert data["metadata"]["extraction_method"] == "combined"
    assert job["progress"] == {"step": "completed", "percent": 100, "message": "Processing completed"}


SEEN = "Text seen in 1 image"
METHODS: dict[str, dict[str, str]] = {
    "native": {"native": GERMAN},
    "ocr": {"ocr": GERMAN},
    "tesseract_ocr": {"ocr": GERMAN},
    "combined": {"native": GERMAN, "ocr": GERMAN},
    "both": {"native": GERMAN, "ocr": GERMAN},
    "preview": {},
    "preview_and_native": {"native": GERMAN},
    "preview_and_mistral_ocr": {"mistral_ocr": GERMAN},
    "llm": {"llm": SEEN},
    "openai_vision": {"llm": SEEN},
    "llm_and_native": {"llm": SEEN, "native": GERMAN},
    "llm_and_ocr": {"llm": SEEN, "ocr": GERMAN},
    "mistral_ocr": {"mistral_ocr": GERMAN},
    "mistral_ocr_with_pages": {"mistral_ocr": GERMAN},
}
"""By method as it is asked for: how the page is read, and what is found by it."""


@pytest.mark.parametrize("method", PdfParameters.SUPPORTED["extraction_method"])
async def test_every_extraction_method_gives_its_text(system: System, method: str) -> None:
    job = await done(system, typed(fresh(system), [GERMAN]), method, page_start=1)
    data = job["results"]["structured_data"]
    contents = {entry["method"]: entry["text"] for entry in data["metadata"]["text_contents"]}
    assert list(contents) == list(METHODS[method]), "each way of reading is kept, in the order of the method's name"
    for by, text in METHODS[method].items():
        assert text in contents[by]
    first = next(iter(METHODS[method].values()), "")
    assert first in data["extracted_text"]
    assert data["metadata"]["extraction_method"] == method
    assert bool(data["metadata"]["preview_paths"]) == method.startswith("preview")


async def test_a_vision_model_reads_pages(system: System) -> None:
    job = await done(system, typed(fresh(system), ["One"]), "openai_vision")
    assert job["results"]["structured_data"]["extracted_text"] == "--- Seite 1 ---\nText seen in 1 image"


async def test_a_template_is_applied_to_the_text(system: System, mistral: MistralServer) -> None:
    mistral.fields = {"summary": "They met."}
    try:
        job = await done(system, typed(fresh(system), ["One"]), "native", template="MeetingMinutes")
    finally:
        mistral.fields = {}
    data = job["results"]["structured_data"]
    assert data["template_fields"]["summary"] == "They met."
    assert "They met." in data["transformed_text"]
    assert data["extracted_text"].startswith("--- Seite 1 ---\nOne")


async def test_a_document_behind_a_url_is_read(system: System, site: Website) -> None:
    path = typed(fresh(system), ["Fetched"])
    url = site.file(f"/{path.name}", path.read_bytes(), "application/pdf")
    job_id = await system.create("pdf", url=url, use_cache=False)
    job = await system.wait_for_end(job_id)
    assert "Fetched" in job["results"]["structured_data"]["extracted_text"]


@pytest.mark.needs("tesseract", packages="tesseract-ocr tesseract-ocr-deu")
async def test_tesseract_reads_a_scanned_page_in_german_and_english(system: System) -> None:
    path = scanned(fresh(system), ["Größe und Übermaß", "The weather is fine"], dpi=200)
    job = await done(system, path, "ocr", ocr_engine="tesseract")
    data = job["results"]["structured_data"]
    assert "Größe und Übermaß" in data["extracted_text"]
    assert "The weather is fine" in data["extracted_text"]
    assert data["metadata"]["ocr_engine"] == "tesseract"
