"""Pages that were laid on the scanner turned or askew: read as if they were straight, each word where it is."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.worker.ocr.lines import Turn, corners, turn_of
from services.worker.ocr.rapid import recognise
from tests.support.files.scans import LETTER, page, pixels, turned

TURNS = (0, 90, 180, 270, 3, -7, 25, 93, 177, 268)
COLUMNS = [f"{side} {number} of the column stands here" for side in ("Left", "Right") for number in range(10, 15)]


@pytest.mark.parametrize("degrees", TURNS)
def test_a_turned_page_is_read_as_if_it_stood_upright(degrees: float) -> None:
    found = recognise(pixels(turned(page(), degrees)))
    assert found.text.splitlines() == list(LETTER)
    assert found.score is not None
    assert found.score > 0.95
    assert math.isclose((found.turned - degrees + 180) % 360, 180, abs_tol=0.5)


@pytest.mark.parametrize("degrees", [0, 4, 90])
def test_columns_of_a_turned_page_are_read_one_after_the_other(degrees: float) -> None:
    assert recognise(pixels(turned(page(COLUMNS, columns=2), degrees))).text.splitlines() == COLUMNS


@pytest.mark.parametrize("degrees", [0, 5, 180, 270])
def test_each_word_has_its_place_on_the_image(degrees: float) -> None:
    """The text is drawn line by line with the words' own widths, so their boxes are known."""
    image = page(["alpha beta gamma delta", "epsilon zeta eta theta", "iota kappa lambda mu"], size=30)
    found = recognise(pixels(turned(image, degrees)))
    straight = recognise(pixels(image))
    turn, centre = Turn(found.turned), (image.width / 2, image.height / 2)
    wide = turned(image, degrees)
    for line, upright in zip(found.lines, straight.lines, strict=True):
        assert [word.text for word in line.words] == [word.text for word in upright.words] == line.text.split()
        for word, expected in zip(line.words, upright.words, strict=True):
            x, y = turn.on_image(((word.left + word.right) / 2, word.middle))
            back = Turn(degrees).upright((x - wide.width / 2, y - wide.height / 2))
            assert math.dist(back, ((expected.left + expected.right) / 2 - centre[0], expected.middle - centre[1])) < 15


def test_words_stand_between_their_neighbours() -> None:
    (line,) = recognise(pixels(page(["one seven ii wwwww end"], size=40))).lines
    assert [word.text for word in line.words] == ["one", "seven", "ii", "wwwww", "end"]
    assert all(left.right < right.left + 6 for left, right in zip(line.words, line.words[1:], strict=False))
    assert line.words[3].width > 2 * line.words[2].width


def test_a_stamp_across_the_margin_turns_nothing_else() -> None:
    image = page(least=(900, 900))
    stamp = turned(page(["Received 12 March 2021"], size=24), 90)
    image.paste(stamp.crop((40, 40, 100, stamp.height - 40)), (820, 100))
    read = recognise(pixels(image)).text
    assert "Received 12 March 2021" in read
    assert [line for line in read.splitlines() if line in LETTER] == list(LETTER)


angles = st.floats(-44, 134)


def quad(left: float, top: float, width: float, height: float, degrees: float) -> list[tuple[float, float]]:
    turn = Turn(degrees)
    right, bottom = left + width, top + height
    return [turn.on_image(point) for point in ((left, top), (right, top), (right, bottom), (left, bottom))]


@given(angles, st.integers(1, 40), st.integers(0, 3))
def test_the_turn_is_that_of_most_lines(degrees: float, lines: int, first: int) -> None:
    quads = [quad(0, 30 * number, 200 + number, 20, degrees) for number in range(lines)]
    shuffled = [corner[first:] + corner[:first] for corner in quads]
    across = [quad(300, 0, 60, 20, degrees + 90)] if lines > 2 else []
    found = turn_of([*shuffled, *across]).degrees
    assert math.isclose((found - degrees + 90) % 180, 90, abs_tol=0.11)


@given(st.floats(0, 360), st.integers(0, 3))
def test_the_corners_of_a_line_are_in_the_order_of_its_text(degrees: float, first: int) -> None:
    drawn = quad(10, 20, 200, 30, degrees)
    assert list(corners(drawn[first:] + drawn[:first], Turn(degrees))) == drawn


@given(st.tuples(st.floats(-1e4, 1e4), st.floats(-1e4, 1e4)), st.floats(-360, 360))
def test_a_point_that_is_turned_back_is_where_it_was(point: tuple[float, float], degrees: float) -> None:
    turn = Turn(degrees)
    assert math.dist(turn.on_image(turn.upright(point)), point) < 1e-6


def test_letters_alone_show_no_direction() -> None:
    assert turn_of([quad(0, 0, 20, 22, 30)]).degrees == 0
    assert turn_of([]).degrees == 0
