"""The structure of PDFs for a job with `output`: what was written is compared with the blocks that were read."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from schemas.blocks import Block, BlockKind
from schemas.document_json import DOCUMENT
from services.worker.layout import models
from services.worker.layout.regions import PageLayout, Region, RegionLine, Run
from services.worker.run import page_care
from services.worker.run.page_care import PageStep
from services.worker.run.workspace import Result
from tests.support.files import layouts
from tests.support.runs import pdf as pdf_runs
from tests.support.runs.extraction import Desk


@pytest.fixture(autouse=True)
def _run() -> Iterator[None]:
    page_care.begin([])
    yield
    page_care.begin([])


def read(folder: Path, path: Path, method: str = "native") -> Result:
    return pdf_runs.run(pdf_runs.workspace(folder), path, method, output="json")[0]


def blocks_of(result: Result) -> list[Block]:
    return list(DOCUMENT.validate_python(result.structured_data["document"]).blocks)


def texts(blocks: list[Block], kind: BlockKind) -> list[str]:
    return [" ".join(block.text.split()) for block in blocks if block.kind is kind]


def test_a_report_is_read_with_the_structure_that_it_was_written_with(tmp_path: Path) -> None:
    result = read(tmp_path, layouts.report(tmp_path / "in" / "a.pdf"))
    blocks = blocks_of(result)
    headings = [(block.level, block.text) for block in blocks if block.kind is BlockKind.HEADING]
    assert [text for _, text in headings] == ["Annual report", "Results of the year", "A program", "Two columns"]
    assert headings[0][0] == 1 < headings[1][0] == headings[2][0]
    items = [(block.marker, block.text) for block in blocks if block.kind is BlockKind.LIST_ITEM]
    steps = [(f"{number}.", step) for number, step in enumerate(layouts.STEPS, 1)]
    assert items == [*(("•", fruit) for fruit in layouts.FRUIT), *steps]
    assert [block.text for block in blocks if block.kind is BlockKind.CODE] == [layouts.CODE]
    assert texts(blocks, BlockKind.PAGE_HEADER) == [layouts.HEADER] * 2
    assert texts(blocks, BlockKind.PAGE_FOOTER) == ["Page 1", "Page 2"]
    assert texts(blocks, BlockKind.CAPTION) == [layouts.CAPTION]
    [table] = [block for block in blocks if block.kind is BlockKind.TABLE]
    assert tuple(tuple(cell.text for cell in row) for row in table.rows) == layouts.ROWS
    assert result.structured_data["metadata"]["warnings"] == []


def test_each_column_is_read_before_the_next_one(tmp_path: Path) -> None:
    blocks = blocks_of(read(tmp_path, layouts.report(tmp_path / "in" / "a.pdf")))
    text = " ".join(texts([block for block in blocks if block.page == 2], BlockKind.PARAGRAPH))
    assert text.rindex("trains") < text.index("ships")
    assert text.count("trains") == text.count("about ships") == 20


def test_merged_cells_cover_what_their_lines_surround(tmp_path: Path) -> None:
    blocks = blocks_of(read(tmp_path, layouts.merged_cells(tmp_path / "in" / "a.pdf")))
    [table] = [block for block in blocks if block.kind is BlockKind.TABLE]
    cells = [(cell.rows, cell.columns, cell.text) for row in table.rows for cell in row]
    assert cells == [(rows, columns, text) for _, _, rows, columns, text in layouts.MERGED]


def test_each_block_has_its_page_and_a_box_on_it(tmp_path: Path) -> None:
    blocks = blocks_of(read(tmp_path, layouts.report(tmp_path / "in" / "a.pdf")))
    assert {block.page for block in blocks} == {1, 2}
    boxes = [block.bbox for block in blocks if block.bbox is not None]
    assert len(boxes) == len(blocks)
    assert all(0 <= left < right <= 595 and 0 <= top < bottom <= 842 for left, top, right, bottom in boxes)


@pytest.mark.parametrize("turn", [90, 180, 270])
def test_boxes_are_those_of_the_page_as_it_is_shown(tmp_path: Path, turn: int) -> None:
    path = layouts.report(tmp_path / "in" / "a.pdf")
    with pdf_runs.pymupdf.open(path) as upright, pdf_runs.pymupdf.open() as document:
        width, height = (595, 842) if turn == 180 else (842, 595)
        page = document.new_page(width=width, height=height)
        page.show_pdf_page(page.rect, upright, 0, rotate=turn)  # counter-clockwise
        page.set_rotation(turn)
        [word] = [word for word in pdf_runs.mupdf.page_words(document, 1) if word.text == "Annual"]
        content = document.tobytes()
    path.write_bytes(content)
    [block] = [block for block in blocks_of(read(tmp_path, path)) if block.text == "Annual report"]
    assert block.bbox is not None
    left, top, right, bottom = block.bbox
    assert left - 1 <= word.left * 595 < word.right * 595 <= right + 1
    assert top <= (word.top + word.bottom) / 2 * 842 <= bottom


def test_an_extraction_gives_the_same_blocks_as_a_pdf_job(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    path = layouts.report(desk.folder / "a.pdf")
    extracted = desk.run(path, output="json").structured_data["document"]
    assert extracted["blocks"] == read(tmp_path, path).structured_data["document"]["blocks"]


def test_the_text_is_the_same_with_and_without_structure(tmp_path: Path) -> None:
    path = layouts.report(tmp_path / "in" / "a.pdf")
    plain, _ = pdf_runs.run(pdf_runs.workspace(tmp_path), path, "native")
    assert read(tmp_path, path).structured_data["extracted_text"] == plain.structured_data["extracted_text"]


@pytest.mark.parametrize("output", [None, "text"])
def test_the_models_are_not_asked_without_need(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, output: Any) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("the models were asked")

    monkeypatch.setattr(models, "page_layout", refuse)
    path = layouts.report(tmp_path / "in" / "a.pdf")
    result, _ = pdf_runs.run(pdf_runs.workspace(tmp_path), path, "native", output=output)
    assert "Annual report" in result.structured_data["extracted_text"]


def test_a_page_on_which_the_models_ended_a_child_keeps_its_text_in_paragraphs(tmp_path: Path) -> None:
    page_care.begin([PageStep("layout", 1)])
    result = read(tmp_path, layouts.report(tmp_path / "in" / "a.pdf"))
    blocks = blocks_of(result)
    assert {block.kind for block in blocks if block.page == 1} == {BlockKind.PARAGRAPH}
    assert BlockKind.HEADING in {block.kind for block in blocks if block.page == 2}
    metadata = result.structured_data["metadata"]
    assert metadata["warnings"] == ["The structure of page 1 could not be found: the text stands there in paragraphs."]
    assert "failed_pages" not in metadata


def test_lines_that_the_models_leave_out_stand_at_the_end_of_their_page(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    line = RegionLine((20, 30, 90, 42), (Run("First words", 20, 90, 12),))
    found = PageLayout((Region("text", (20, 30, 90, 42), (line,)),))
    monkeypatch.setattr(models, "page_layout", lambda *_: found)
    path = pdf_runs.typed(tmp_path / "in" / "a.pdf", ["First words\nSecond words"])
    result = read(tmp_path, path)
    assert [block.text for block in blocks_of(result)] == ["First words", "Second words"]
    assert result.structured_data["metadata"]["warnings"] == [
        "The layout of page 1 lacks lines of the text: they stand at the end of the page."
    ]


def test_paragraphs_of_ocr_have_boxes_and_a_confidence(tmp_path: Path) -> None:
    path = pdf_runs.scanned(tmp_path / "in" / "a.pdf", ["Scanned words"])
    [block] = blocks_of(read(tmp_path, path, "ocr"))
    assert block.origin.value == "ocr"
    assert block.confidence is not None
    assert block.confidence > 0.8
    assert block.bbox is not None
    left, top, right, bottom = block.bbox
    assert 0 <= left < right <= pdf_runs.SMALL[0]
    assert 0 <= top < bottom <= pdf_runs.SMALL[1]
