"""The `extraction` job over HTTP (docs/contract/devana.md#job-types): files of every kind, and every way one is bad."""

from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from tests.support.files import office
from tests.support.files import pdf as documents
from tests.support.runs import pdf as pdf_runs
from tests.support.servers.website import Website
from tests.support.stacks.system import Json, System

Make = Callable[[Path], Path]


def fresh(system: System, name: str) -> Path:
    """A path of its own, so that no other test's file is in the way."""
    folder = system.files / uuid4().hex
    folder.mkdir()
    return folder / name


async def extracted(system: System, **parameters: Any) -> Json:
    job = await system.wait_for_end(await system.create("extraction", **parameters), timeout=120)
    assert job["status"] == "completed", job.get("error")
    return job


async def failed(system: System, **parameters: Any) -> Json:
    job = await system.wait_for_end(await system.create("extraction", **parameters))
    assert job["status"] == "failed", job
    assert "results" not in job
    assert job["attempt"] == 1
    return dict(job["error"])


def written(content: bytes | str) -> Make:
    def make(path: Path) -> Path:
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    return make


SAMPLES: dict[str, tuple[Make, str, str, int | None]] = {
    "plan.docx": (
        lambda path: office.word(path, heading="Plan", paragraphs=["Über die Brücke"]),
        "# Plan\n\nÜber die Brücke\n\n- Book the room\n\n| Name | Task |\n| --- | --- |\n| Grace | Notes |",
        "native",
        None,
    ),
    "talk.pptx": (
        lambda path: office.slides(path, [("Start", "First", "Say hello"), ("End", "Bye", "")]),
        "# Start\n\n- First\n\n> **Note:** Say hello\n\n# End\n\n- Bye",
        "native",
        2,
    ),
    "costs.xlsx": (
        lambda path: office.sheets(path, {"Costs": [["Item", "Cost"], ["Pipe", 3.5]]}),
        "## Costs\n\n| Item | Cost |\n| --- | --- |\n| Pipe | 3.5 |",
        "native",
        1,
    ),
    "page.html": (
        written("<!doctype html><title>T</title><h1>Pipes</h1><p>Some <b>bold</b> words</p>"),
        "# Pipes\n\nSome **bold** words",
        "native",
        None,
    ),
    "book.epub": (
        lambda path: office.epub(path, "A voyage", ["<h1>Arrival</h1><p>Landed.</p>", "<p>Farewell</p>"]),
        "# Arrival\n\nLanded.\n\nFarewell",
        "native",
        2,
    ),
    "notes.md": (written("# Notes\n\nText"), "# Notes\n\nText", "native", None),
    "notes.txt": (written("Größe"), "Größe", "native", None),
    "scan.png": (lambda path: office.image(path, "Grüße aus Köln 42", "PNG"), "Grüße aus Köln 42", "rapidocr", 1),
    "scan.tiff": (lambda path: office.image(path, "Zweite Seite", "TIFF"), "Zweite Seite", "rapidocr", 1),
    "paper.pdf": (
        lambda path: documents.pdf(path, pages=2),
        "This is page 1.\n\nThis is page 2.",
        "native",
        2,
    ),
    "mixed.pdf": (
        lambda path: pdf_runs.scanned(path, ["Scanned words", None]),
        "Scanned words\n\nTyped page 2",
        "native+rapidocr",
        2,
    ),
}


@pytest.mark.parametrize("name", SAMPLES)
async def test_the_text_of_a_file_of_every_kind_is_extracted(system: System, name: str) -> None:
    make, text, method, pages = SAMPLES[name]
    path = make(fresh(system, name))
    job = await extracted(system, filename=str(path), use_cache=False)
    data = job["results"]["structured_data"]
    assert data["extracted_text"] == text
    metadata = data["metadata"]
    assert (metadata["fileName"], metadata["fileSize"]) == (name, path.stat().st_size)
    assert (metadata["extractionMethod"], metadata.get("pageCount")) == (method, pages)
    assert metadata["words"] == len(text.split())
    kept = await system.client.get(job["results"]["asset_urls"][0])
    assert kept.text == text
    assert job["progress"]["percent"] == 100


async def test_an_upload_is_extracted_and_the_hook_has_its_text(system: System) -> None:
    content = office.word(fresh(system, "a.docx"), heading="Uploaded").read_bytes()
    reply = await system.client.post("/api/files", files={"file": ("Über uns.docx", content)})
    upload = reply.json()["data"]["filename"]
    webhook = {"url": system.receiver.url("/extracted")}
    job = await extracted(system, filename=upload, webhook=webhook)
    hooks = (await system.wait_for_final_hooks([job["job_id"]]))[job["job_id"]]
    assert hooks[-1]["data"]["extracted_text"].startswith("# Uploaded")
    assert hooks[-1]["data"]["metadata"]["fileName"] == "Über uns.docx"


async def test_a_url_is_extracted_by_the_media_type_of_its_server(system: System, site: Website) -> None:
    url = site.file("/articles/one", b"# From afar", "text/markdown")
    job = await extracted(system, url=url)
    assert job["results"]["structured_data"]["title"] == "From afar"


async def test_the_same_content_under_another_name_comes_from_the_cache(system: System) -> None:
    text = f"# {uuid4().hex}"
    first = await extracted(system, filename=str(written(text)(fresh(system, "one.md"))))
    second = await extracted(system, filename=str(written(text)(fresh(system, "two.md"))))
    data = second["results"]["structured_data"]
    assert second["results"]["process"] == {"is_from_cache": True}
    assert "process" not in first["results"]
    assert (data["extracted_text"], data["metadata"]["fileName"]) == (text, "two.md")


BAD: dict[str, tuple[Make, str, str]] = {
    "bomb.docx": (lambda path: office.bomb(path, 100 * 1024**2), "FILE_TOO_LARGE", "not unpacked"),
    "page.pdf": (written("<!doctype html><html>no</html>"), "INVALID_DOCUMENT", "its content is a web page"),
    "setup.exe": (written(b"MZ\x90\0\x03\0\0\0"), "UNSUPPORTED_FILE_TYPE", ".exe, a Windows program"),
    "talk.mp3": (written(b"ID3\x04\0\0\0\0"), "UNSUPPORTED_FILE_TYPE", "create a transcription job"),
    "locked.docx": (written(office.encrypted_office()), "FILE_ENCRYPTED", "password"),
    "broken.docx": (written(b"PK\x03\x04 and nothing else"), "INVALID_DOCUMENT", "damaged"),
    "broken.png": (written(b"\x89PNG\r\n\x1a\n and nothing else"), "INVALID_DOCUMENT", "damaged"),
    "empty.xlsx": (written(b""), "INVALID_DOCUMENT", "empty"),
    "locked.pdf": (lambda path: documents.pdf(path, password="secret"), "PDF_ENCRYPTED", "password"),
}


@pytest.mark.parametrize("name", BAD)
async def test_a_bad_file_fails_the_job_at_once_with_a_message(system: System, name: str) -> None:
    make, code, words = BAD[name]
    error = await failed(system, filename=str(make(fresh(system, name))))
    assert error["code"] == code
    assert words in error["message"]
    assert str(system.files) not in error["message"]


async def test_conflicting_parameters_are_refused(system: System) -> None:
    for job_type, parameters in (
        ("extraction", {}),
        ("extraction", {"filename": "/a.docx", "url": "https://example.com/a.docx"}),
        ("extraction", {"filename": "/a.docx", "ocr_engine": "other"}),
        ("generation", {"text": "x"}),
        ("generation", {"prompt": "x"}),
        ("generation", {"text": "x", "prompt": "x", "template": "Summary"}),
    ):
        reply = await system.client.post("/api/jobs/", json={"job_type": job_type, "parameters": parameters})
        assert (reply.status_code, reply.json()["error"]["code"]) == (400, "INVALID_PARAMETERS"), parameters
