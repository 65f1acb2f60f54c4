"""The order in which the lines of a page are read: columns one by one, rows across, no line lost or doubled."""

from hypothesis import given
from hypothesis import strategies as st

from services.worker.ocr.lines import TextLine
from services.worker.ocr.reading_order import rows_of
from services.worker.ocr.reading_order import text_of as joined

PROSE = 300  # pixels: the width of a line of prose in these pages
STEP = 25  # pixels from one line to the next


def text_of(lines: list[TextLine]) -> str:
    return joined(rows_of(lines))


def line(text: str, left: float, top: float, width: float = PROSE, height: float = 18) -> TextLine:
    return TextLine(text, 0.99, left, top, left + width, top + height)


def test_two_columns_are_read_one_after_the_other() -> None:
    left = [line(f"left {n}", 0, STEP * n) for n in range(6)]
    right = [line(f"right {n}", 340, STEP * n + 3) for n in range(6)]
    assert text_of([*right, *left]).split("\n") == [line.text for line in [*left, *right]]


def test_a_title_over_columns_comes_first_and_a_footer_last() -> None:
    title, footer = line("title", 0, 0, 640, 30), line("footer", 0, 400, 640)
    left = [line(f"left {n}", 0, 80 + STEP * n) for n in range(6)]
    right = [line(f"right {n}", 340, 80 + STEP * n) for n in range(6)]
    read = text_of([footer, *right, *left, title]).split("\n")
    assert read == ["title", *(line.text for line in [*left, *right]), "footer"]


def test_the_cells_of_a_table_stay_in_their_rows() -> None:
    names = [line(f"name {n}", 0, STEP * n, 60) for n in range(8)]
    values = [line(f"value {n}", 500, STEP * n + 2, 50) for n in range(8)]
    assert text_of([*values, *names]).split("\n") == [f"name {n} value {n}" for n in range(8)]


def test_lines_of_different_height_on_one_row_are_one_row() -> None:
    assert text_of([line("12,50", 400, 2, 60, 12), line("Total", 0, 0, 60, 18)]) == "Total 12,50"


def test_a_line_across_the_margin_divides_no_row() -> None:
    rows = [line(f"row {n}", 0, STEP * n) for n in range(3)]
    amounts = [line(f"{n}.00", 400, STEP * n, 60) for n in range(3)]
    stamp = line("received", 350, 0, 20, 3 * STEP)
    assert text_of([*rows, stamp, *amounts]).split("\n") == ["row 0 0.00", "row 1 1.00", "row 2 2.00", "received"]


def test_a_page_without_lines_has_no_text() -> None:
    assert text_of([]) == ""


lines = st.builds(
    line,
    st.uuids().map(str),
    st.floats(0, 2000),
    st.floats(0, 3000),
    st.floats(1, 1000),
    st.floats(1, 60),
)


@given(st.lists(lines, max_size=60))
def test_every_line_is_read_exactly_once(found: list[TextLine]) -> None:
    assert sorted(text_of(found).split()) == sorted(line.text for line in found)


@given(st.lists(lines, max_size=30, unique_by=lambda line: line.text), st.randoms())
def test_the_order_in_which_an_engine_finds_lines_does_not_matter(found: list[TextLine], chance: object) -> None:
    shuffled = list(found)
    chance.shuffle(shuffled)  # type: ignore[attr-defined]
    assert text_of(shuffled) == text_of(found)
