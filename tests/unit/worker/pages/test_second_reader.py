"""PDFs that MuPDF cannot open, and pages of which it reads hardly anything: PDFium reads them, with a warning."""

from pathlib import Path

import pytest

from schemas.errors import ErrorCode
from services.worker.pages import mupdf
from tests.support.runs.extraction import Desk
from tests.support.runs.pdf import run as run_pdf
from tests.support.runs.pdf import typed

pymupdf = mupdf.pymupdf
PAGES = ["First page", "Second page", "Third page"]
REWRITTEN = (
    "The file could be opened only by a second reader, which repaired or decrypted it; parts of it may be missing."
)
HIDDEN = "A second reader found more text on page 1; some of it may be hidden when the page is shown."


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


def mutated(path: Path, old: bytes, new: bytes) -> Path:
    """A PDF of PAGES with another text in place of one of its file, which stays as long."""
    typed(path, PAGES)
    content = path.read_bytes()
    assert content.count(old) == 1
    path.write_bytes(content.replace(old, new.ljust(len(old))))
    return path


@pytest.mark.parametrize("count", [b"/Count 0", b"/Count x", b"/Coumt 3"], ids=["none", "not a number", "absent"])
def test_a_pdf_whose_pages_mupdf_does_not_count_is_read_and_warned_of(desk: Desk, count: bytes) -> None:
    path = mutated(desk.folder / "a.pdf", b"/Count 3", count)
    with pymupdf.open(path) as document:
        assert document.page_count == 0
    result = desk.run(path)
    assert [one["content"] for one in result.structured_data["metadata"]["text_contents"]] == PAGES
    assert result.notes == (REWRITTEN,)
    drawn, _ = run_pdf(desk.place, path, "native", include_images=True)
    assert len(drawn.structured_data["metadata"]["image_paths"]) == 3
    assert drawn.notes == (REWRITTEN,)


@pytest.mark.parametrize("content", [b"%PDF-1.7\n%%EOF", b"%PDF-1.7\n" + bytes(range(256)) * 8 + b"%%EOF"])
def test_what_no_reader_opens_is_refused_as_before(desk: Desk, content: bytes) -> None:
    assert desk.refused(desk.file("a.pdf", content)).code is ErrorCode.INVALID_PDF


def test_a_pdf_with_a_password_is_refused_as_before(desk: Desk) -> None:
    path = typed(desk.folder / "a.pdf", PAGES)
    with pymupdf.open(path) as document:
        document.save(
            desk.folder / "b.pdf", encryption=pymupdf.PDF_ENCRYPT_AES_256, user_pw="secret", owner_pw="secret"
        )
    assert desk.refused(desk.folder / "b.pdf").code is ErrorCode.PDF_ENCRYPTED


def layered(path: Path, text: str, shown: str, on: bool) -> Path:
    """A PDF with a text on a layer, and another one on the page itself."""
    with pymupdf.open() as document:
        layer = document.add_ocg("Answers", on=on)
        page = document.new_page()
        page.insert_text((72, 72), text, oc=layer)
        page.insert_text((72, 200), shown)
        document.save(path)
    return path


ANSWER = "Group it up and weight five, then the arrow"


@pytest.mark.parametrize("shown", ["", "1"])
def test_a_page_with_little_text_beside_a_hidden_layer_is_read_by_the_second_reader(desk: Desk, shown: str) -> None:
    path = layered(desk.folder / "a.pdf", ANSWER, shown, on=False)
    result = desk.run(path)
    assert set(result.structured_data["extracted_text"].splitlines()) == {ANSWER, shown} - {""}
    assert result.notes == (HIDDEN,)
    assert run_pdf(desk.place, path, "native")[0].structured_data["metadata"]["warnings"] == [HIDDEN]


def test_a_layer_that_is_shown_needs_no_second_reader(desk: Desk) -> None:
    result = desk.run(layered(desk.folder / "a.pdf", ANSWER, "1", on=True))
    assert set(result.structured_data["extracted_text"].splitlines()) == {ANSWER, "1"}
    assert result.notes == ()


def test_a_page_with_its_own_text_needs_no_second_reader(desk: Desk) -> None:
    shown = "\n".join(["Words of the page itself, which are many."] * 6)
    result = desk.run(layered(desk.folder / "a.pdf", ANSWER, shown, on=False))
    assert result.structured_data["extracted_text"] == shown
    assert result.notes == ()
