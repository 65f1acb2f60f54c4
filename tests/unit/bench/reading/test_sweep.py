"""`python -m bench.reading`: what it counts in generated files, and what it reports of those that lose words."""

import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import docx
import pytest
from openpyxl import Workbook
from openpyxl.comments import Comment
from pptx import Presentation

from bench.reading import __main__ as sweep
from bench.reading import child
from bench.reading.folder import files_of, verdicts
from bench.reading.sources import words_of
from bench.reading.verdicts import Verdict, lines, verdict_of, worst
from bench.reading.words import Recall, recalls
from services.worker.processors.extraction import processor as extraction
from tests.support.runs.pdf import typed

PAGE = "<!doctype html><title>Unseen</title><p>A heat <b>pum</b>p hums</p><script>let unseen</script><p>in May"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A file of each kind that is counted, one of a kind that is not, and one that is damaged."""
    letter = docx.Document()
    letter.add_paragraph("The heat pump is serviced in May.")
    letter.sections[0].header.paragraphs[0].text = "Boiler Company, Leeds"
    letter.save(str(tmp_path / "letter.docx"))
    book = Workbook()
    book.active["A1"] = "Valve"
    book.active["A1"].comment = Comment("Replaced yesterday", "Ann")
    book.save(tmp_path / "parts.xlsx")
    deck = Presentation()
    slide = deck.slides.add_slide(deck.slide_layouts[0])
    slide.shapes.title.text = "Quarterly numbers"
    slide.notes_slide.notes_text_frame.text = "Speak slowly"
    deck.save(str(tmp_path / "deck.pptx"))
    typed(tmp_path / "pages.pdf", ["The pressure is high", "and rises"])
    (tmp_path / "page.html").write_text(PAGE)
    (tmp_path / "odd.bin").write_bytes(b"\x00\x01\x02\x03" * 50)
    (tmp_path / "cut.docx").write_bytes((tmp_path / "letter.docx").read_bytes()[:900])
    (tmp_path / ".hidden").write_text("not read")
    return tmp_path


def swept(folder: Path, limit_s: float = 60.0, **options: Any) -> dict[str, Verdict]:
    return {one.path: one for one in verdicts(folder, files_of(folder), limit_s, **options)}


def test_words_are_counted_by_category(folder: Path) -> None:
    def counted(name: str) -> dict[str, str]:
        return {place: " ".join(text.split()) for place, text in (words_of(folder / name) or {}).items()}

    assert counted("letter.docx")["headers and footers"] == "Boiler Company, Leeds"
    assert counted("letter.docx")["body"] == "The heat pump is serviced in May."
    assert counted("parts.xlsx")["cells"] == "Valve"
    assert "Replaced yesterday" in counted("parts.xlsx")["comments"]
    assert counted("deck.pptx")["body"] == "Quarterly numbers"
    assert "Speak slowly" in counted("deck.pptx")["notes"]
    assert counted("pages.pdf")["pages"] == "The pressure is high and rises"
    assert counted("page.html")["body"] == "A heat pump hums in May"
    assert words_of(folder / "odd.bin") is None


def test_what_slides_repeat_counts_once_and_apart_from_their_text(tmp_path: Path) -> None:
    deck = Presentation()
    for number in range(2):
        slide = deck.slides.add_slide(deck.slide_layouts[0])
        slide.shapes.title.text = f"Quarter {number}"
        slide.placeholders[1].text = "3 May"
        slide.placeholders[1].element.nvSpPr.nvPr.ph.set("type", "dt")
    deck.save(str(tmp_path / "deck.pptx"))
    found = words_of(tmp_path / "deck.pptx") or {}
    assert found["body"].split() == ["Quarter", "0", "Quarter", "1"]
    assert found["headers and footers"].split() == ["3", "May"]


def test_every_file_of_a_folder_gets_a_verdict_and_nothing_of_the_sample_is_lost(folder: Path) -> None:
    found = swept(folder)
    assert sorted(found) == ["cut.docx", "deck.pptx", "letter.docx", "odd.bin", "page.html", "pages.pdf", "parts.xlsx"]
    assert {name for name, one in found.items() if one.outcome == "refused"} == {"cut.docx", "odd.bin"}
    judged = [one for one in found.values() if one.recalls]
    assert len(judged) == 5
    assert [one.path for one in judged if one.lost] == []


def test_words_that_a_reader_drops_are_reported_as_a_silent_loss(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    honest = extraction.process

    def lossy(*arguments: Any) -> Any:
        result = honest(*arguments)
        data = result.structured_data
        return replace(result, structured_data={**data, "extracted_text": data["extracted_text"].replace("Leeds", "")})

    monkeypatch.setattr(child, "process", lossy)
    verdict = verdict_of("letter.docx", child.reading(folder / "letter.docx"), 0.1)
    assert verdict.lost == ("headers and footers",)
    assert verdict.silent
    assert verdict.recalls["headers and footers"] == Recall(3, 2, ("leeds",))


def test_a_loss_with_a_warning_is_not_silent() -> None:
    verdict = Verdict("a.docx", "read", 0.1, warnings=("Page 2 is damaged.",), recalls={"body": Recall(10, 5)})
    assert verdict.lost
    assert not verdict.silent
    assert (lines([verdict])[0].lossy, lines([verdict])[0].silent) == (1, 0)


def test_a_file_that_ends_the_reading_process_is_a_row_and_the_next_one_is_read(tmp_path: Path) -> None:
    for name in ("a.txt", "deadly.txt", "z.txt"):
        (tmp_path / name).write_text("word")
    program = (
        "import sys\nprint('{}', flush=True)\n"
        "for line in sys.stdin:\n"
        "    if 'deadly' in line: sys.exit(9)\n"
        '    print(\'{"outcome": "read", "recalls": {"body": [1, 1, []]}}\', flush=True)\n'
    )
    found = swept(tmp_path, command=(sys.executable, "-c", program))
    assert {name: one.outcome for name, one in found.items()} == {
        "a.txt": "read",
        "deadly.txt": "crashed",
        "z.txt": "read",
    }


def test_a_file_beyond_its_time_is_a_row(tmp_path: Path) -> None:
    (tmp_path / "slow.txt").write_text("word")
    program = "import sys, signal\nprint('{}', flush=True)\nsys.stdin.readline()\nsignal.pause()"
    assert swept(tmp_path, 0.2, command=(sys.executable, "-c", program))["slow.txt"].outcome == "timed out"


def test_a_word_counts_as_often_as_the_source_has_it_and_later_categories_lack_it() -> None:
    found = recalls({"body": "pump pump", "comments": "pump"}, "pump pump")
    assert found == {"body": Recall(2, 2), "comments": Recall(1, 0, ("pump",))}


@pytest.mark.parametrize("read", ["ex- amination", "the examination2", "exami\u00adnation"])
def test_words_that_the_result_divides_or_joins_are_read(read: str) -> None:
    assert recalls({"body": "examination"}, read)["body"].missing == 0


def test_the_worst_files_are_silent_ones_with_most_words_first() -> None:
    warned = Verdict("warned.pdf", "read", 0.1, warnings=("It is cut.",), recalls={"pages": Recall(1000, 1)})
    small = Verdict("small.pdf", "read", 0.1, recalls={"pages": Recall(10, 1)})
    large = Verdict("large.pdf", "read", 0.1, recalls={"pages": Recall(100, 1)})
    sound = Verdict("sound.pdf", "read", 0.1, recalls={"pages": Recall(100, 99)})
    assert worst([warned, small, large, sound], 3) == [large, small, warned]


def test_the_command_prints_the_table_and_writes_json(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    written = folder.parent / "outcome.json"
    monkeypatch.setattr("sys.argv", ["reading", str(folder), "--json", str(written)])
    assert sweep.main() == 0
    assert "7 files" in capsys.readouterr().out
    outcome = json.loads(written.read_text())
    assert (outcome["files"], outcome["judged"], outcome["silent"]) == (7, 5, 0)
    assert {line["category"] for line in outcome["categories"]} >= {"body", "cells", "comments", "pages"}
