"""PDFs whose text layer lacks what the page shows: read by OCR, and nothing of the layer is lost."""

from typing import Any

import pytest
from PIL import Image

from tests.support.files.layers import A4, Fault, coded, picture_page
from tests.support.files.scans import LETTER, page, turned
from tests.support.runs.extraction import Desk
from tests.support.runs.pdf import run as run_pdf

LINES = LETTER[:4]
HEADER = (50.0, 30.0, "Registry office, certificate 4711")
FOOTER = (50.0, 832.0, "Signed digitally, hash 00ff00ff")
BELOW_HEADER = (0, 40, A4.width, 815)


def sheet(lines: Any = LINES) -> Any:
    """A scan in the shape of the paper."""
    return page(lines, least=(1000, 1300))


@pytest.mark.parametrize("strips", [1, 40])
@pytest.mark.parametrize(
    ("area", "texts"),
    [
        (A4, [(290.0, 832.0, "1")]),
        (BELOW_HEADER, [HEADER]),
        (BELOW_HEADER, [HEADER, FOOTER]),
        ((50, 100, 545, 700), [(280.0, 820.0, "Page 1 of 2")]),
    ],
    ids=["page number", "header", "header and footer", "scan with margins"],
)
def test_a_scan_beside_typed_text_is_read(desk: Desk, area: Any, texts: Any, strips: int) -> None:
    result = desk.run(picture_page(desk.folder / "a.pdf", sheet(), area, texts, strips))
    typed = {text for _, _, text in texts}
    read = result.structured_data["extracted_text"].splitlines()
    assert [line for line in read if line not in typed] == list(LINES)
    assert typed <= set(read)
    (content,) = result.structured_data["metadata"]["text_contents"]
    assert content["method"] == result.method == "native+rapidocr"
    assert content["score"] > 0.9
    assert result.notes == ("OCR was added to the text layer of page 1, mostly covered by pictures.",)


def test_a_scan_that_lies_on_its_head_below_a_typed_header_is_read(desk: Desk) -> None:
    path = picture_page(desk.folder / "a.pdf", turned(sheet(), 180), BELOW_HEADER, [HEADER])
    read = desk.text(path).splitlines()
    assert [line for line in read if line != HEADER[2]] == list(LINES)
    assert HEADER[2] in read


def test_a_figure_with_a_caption_needs_no_ocr(desk: Desk) -> None:
    labels = page(["Load", "Axis of time in seconds"], least=(1000, 700))
    texts = [(50.0, 500.0, "Figure 3: the load of the machine over an hour")]
    result = desk.run(picture_page(desk.folder / "a.pdf", labels, (50, 50, 545, 480), texts))
    assert (result.method, result.notes) == ("native", ())


def test_a_photograph_over_the_page_adds_nothing(desk: Desk) -> None:
    photograph = Image.radial_gradient("L").convert("RGB").resize((900, 1200))
    result = desk.run(picture_page(desk.folder / "a.pdf", photograph, A4, [(50.0, 830.0, "Bremen in the evening")]))
    assert (result.structured_data["extracted_text"], result.method, result.notes) == (
        "Bremen in the evening",
        "native",
        (),
    )


@pytest.mark.parametrize("fault", ["no_map", "private_use", "replacement"])
def test_a_text_layer_of_codes_is_replaced_by_ocr(desk: Desk, fault: Fault) -> None:
    path = coded(desk.folder / "a.pdf", LINES, fault)
    result = desk.run(path)
    assert result.structured_data["extracted_text"].splitlines() == list(LINES)
    assert result.method == "rapidocr"
    assert result.notes == ("OCR was used for page 1: the text layer has codes in place of characters.",)
    doubted, _ = run_pdf(desk.place, path, "native")
    assert doubted.structured_data["metadata"]["warnings"] == [
        "The text layer of page 1 has codes in place of characters: OCR reads what the pages show."
    ]


@pytest.mark.parametrize("fault", ["no_map", "private_use"])
def test_the_sound_part_of_a_text_layer_of_codes_stays_as_it_is(desk: Desk, fault: Fault) -> None:
    plain = ["O0O0 l1l1 is a code that OCR may misread.", "Second plain line."]
    result = desk.run(coded(desk.folder / "a.pdf", LINES, fault, plain))
    assert result.structured_data["extracted_text"].splitlines() == [*LINES, *plain]
    assert result.method == "native+rapidocr"


def test_a_pdf_job_warns_of_a_scan_and_keeps_its_method(desk: Desk) -> None:
    path = picture_page(desk.folder / "a.pdf", sheet(), BELOW_HEADER, [HEADER])
    warning = "Pictures cover most of page 1, where the text layer has little text: OCR reads what they show."
    for method in ("native", "both"):
        metadata = run_pdf(desk.place, path, method)[0].structured_data["metadata"]
        assert metadata["warnings"] == [warning]
        assert metadata["extraction_method"] == method
    assert run_pdf(desk.place, path, "ocr")[0].structured_data["metadata"]["warnings"] == []
