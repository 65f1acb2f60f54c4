"""The text layer and OCR of one page as one text: nothing of the layer is lost, nothing stands twice."""

from hypothesis import given
from hypothesis import strategies as st

from services.worker.ocr.contract import Recognised
from services.worker.ocr.lines import TextLine, Word
from services.worker.ocr.merging import merged
from services.worker.pages.text_layer import LayerLine

ZOOM = 2.0


def word(text: str, left: float, top: float) -> Word:
    return Word(text, 0.9, left, top, left + 10 * len(text), top + 20)


def line(text: str, left: float = 0, top: float = 0) -> TextLine:
    words, at = [], left
    for token in text.split():
        words.append(word(token, at, top))
        at += 10 * len(token) + 10
    return TextLine(text, 0.9, left, top, at - 10, top + 20, tuple(words))


def layer(text: str, left: float = 0, top: float = 0, odd: bool = False) -> LayerLine:
    """A line in points, on the image as large as `line` makes it."""
    return LayerLine(text, (left / ZOOM, top / ZOOM, (left + 10 * len(text)) / ZOOM, (top + 20) / ZOOM), odd)


def text(found: list[TextLine], lines: list[LayerLine]) -> str | None:
    both = merged(Recognised("", 0.9, tuple(found)), lines, ZOOM)
    return None if both is None else both.text


def test_a_header_of_the_layer_stands_once_and_as_the_layer_has_it() -> None:
    found = [line("Registry 0ffice 4711"), line("The tenant pays", top=100)]
    assert text(found, [layer("Registry office 4711")]) == "Registry office 4711\nThe tenant pays"


def test_a_word_typed_into_a_scanned_form_stands_once() -> None:
    assert text([line("Name Mi11er Street")], [layer("Miller", left=50)]) == "Name Miller Street"


def test_what_ocr_missed_stays() -> None:
    assert text([line("The tenant", top=100)], [layer("Page 7", top=900)]) == "The tenant\nPage 7"


def test_ocr_that_adds_nothing_changes_nothing() -> None:
    assert text([line("Page 7")], [layer("Page 7")]) is None
    assert text([], [layer("Page 7")]) is None


def test_codes_give_way_to_what_ocr_read_there_and_stay_elsewhere() -> None:
    codes = [layer("7KH WHQDQW", odd=True), layer("\uf0b7", top=300, odd=True)]
    assert text([line("The tenant")], codes) == "The tenant\n\uf0b7"


def test_the_boxes_of_a_turned_page_are_compared_where_they_are() -> None:
    """On a page turned by 90 degrees the words of a line are one below the other."""
    upright = line("Page 7", left=100, top=-500)
    on_page = LayerLine("Page 7", (480 / ZOOM, 100 / ZOOM, 500 / ZOOM, 160 / ZOOM))
    assert merged(Recognised("Page 7", 0.9, (upright,), 90.0), [on_page], ZOOM) is None


def test_a_dim_word_of_a_photograph_is_not_text() -> None:
    dim = TextLine("oO0", 0.3, 0, 200, 30, 220)
    assert text([dim], [layer("Figure 3")]) is None


places = st.tuples(st.integers(0, 30), st.integers(0, 30))


@given(st.dictionaries(places, st.booleans(), min_size=1, max_size=12), st.lists(places, max_size=12))
def test_every_word_of_the_layer_stands_in_the_text_whatever_ocr_found(
    written: dict[tuple[int, int], bool], read: list[tuple[int, int]]
) -> None:
    lines = [layer(f"w{x}x{y}", 100 * x, 30 * y) for x, y in written]
    found = [line(f"r{x}x{y}", 100 * x, 30 * y) for x, y in read]
    result = text(found, lines)
    if result is None:
        assert set(read) <= set(written)
        return
    tokens = result.split()
    assert {one.text for one in lines} <= set(tokens)
    assert {f"r{x}x{y}" for x, y in set(read) - set(written)} <= set(tokens)
    assert not {f"r{x}x{y}" for x, y in set(read) & set(written)} & set(tokens)
