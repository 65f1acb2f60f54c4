"""The scores of the bench of structure: 1 for what is alike, less for what is not."""

import pytest

from bench.parts import structure
from bench.report import SkippedError
from bench.structure_scores import headings, order, tables
from services.worker.markup.page import read_page

TRUTH = "# Plan\n\nOne *two* three\n\n## Part\n\nfour\n\n```\n# no heading\n```\n\n## End"


def table(html: str) -> list:
    return read_page(f"<table>{html}</table>").blocks


def test_the_same_words_in_order_are_alike_whatever_their_marks() -> None:
    assert order("# Plan\n\n**one** [two](/a)", "Plan one two") == 1
    assert order("one two three", "three two one") < 0.7


@pytest.mark.parametrize(
    ("read", "score"),
    [
        (TRUTH, 1),
        ("# Plan\n\n## Part", 2 / 3),
        ("Plan\n\nPart\n\nEnd", 0),
        ("# Plan\n\n## Part\n\n### End", 1 / 3),
    ],
)
def test_headings_count_with_their_place_in_the_tree(read: str, score: float) -> None:
    assert headings(TRUTH, read) == pytest.approx(score)


def test_a_text_without_headings_has_no_score_of_them() -> None:
    assert headings("words", "# words") is None


def test_tables_count_with_their_merged_cells() -> None:
    wanted = table("<tr><td colspan=2>a</td></tr><tr><td>b</td><td>c</td></tr>")
    assert tables(wanted, wanted) == 1
    assert tables(wanted, table("<tr><td>a</td><td></td></tr><tr><td>b</td><td>c</td></tr>")) == pytest.approx(2 / 3)
    assert tables(wanted, []) == 0
    assert tables([], wanted) is None


async def test_without_a_folder_the_part_is_skipped_with_a_sentence(tmp_path, monkeypatch) -> None:
    monkeypatch.delenv(structure.FOLDER, raising=False)
    with pytest.raises(SkippedError, match=structure.FOLDER):
        await structure.measure(tmp_path)
    monkeypatch.setenv(structure.FOLDER, str(tmp_path))
    with pytest.raises(SkippedError, match="no PDF"):
        await structure.measure(tmp_path)
