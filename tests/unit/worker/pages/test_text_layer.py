"""Which pages need OCR: facts of a page in, a doubt out."""

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.worker.pages.text_layer import (
    BARE,
    PICTURED,
    SCANNED,
    SHORT,
    WRITTEN,
    Doubt,
    PageFacts,
    TextFacts,
    doubt_of,
    share_under,
)

PROSE = "The tenant pays the rent on the third working day of each month. "
HEADER = "Registry office, certificate no. 4711, page 1 of 1"
shares = st.floats(0, 1)


def doubt(text: str, **facts: float | bool) -> Doubt | None:
    return doubt_of(PageFacts(TextFacts.of(text), **facts))  # type: ignore[arg-type]


@given(shares, shares, st.booleans())
def test_a_page_without_text_needs_ocr_whatever_is_on_it(pictures: float, written: float, hidden: bool) -> None:
    expected = Doubt.PICTURE if pictures >= PICTURED else Doubt.NO_TEXT
    assert doubt(" \n", pictures=pictures, written=written, hidden=hidden) is expected


@pytest.mark.parametrize(
    ("text", "pictures", "expected"),
    [
        ("1", 1.0, Doubt.PICTURE),
        ("- 12 -", 0.25, Doubt.PICTURE),
        (HEADER, 0.8, Doubt.PICTURE),
        ("Figure 3: The harbour of Bremen in 1910", 0.5, None),
        (PROSE * 4, 0.55, None),
        (PROSE * 12, 1.0, None),
        (HEADER, 0.0, None),
    ],
)
def test_a_scan_beside_a_page_number_or_a_header_needs_ocr_and_a_figure_with_its_caption_does_not(
    text: str, pictures: float, expected: Doubt | None
) -> None:
    assert doubt(text, pictures=pictures) is expected


@given(st.integers(SHORT, 3 * SHORT), shares)
def test_a_page_with_much_text_needs_no_ocr_whatever_its_pictures(characters: int, pictures: float) -> None:
    assert doubt("e" * characters, pictures=pictures) is None


@given(st.integers(BARE, SHORT - 1), st.floats(SCANNED, 1), st.floats(WRITTEN, 1))
def test_a_slide_that_its_text_fills_needs_no_ocr(characters: int, pictures: float, written: float) -> None:
    assert doubt("e" * characters, pictures=pictures, written=written) is None


def test_a_scan_with_the_text_of_an_earlier_ocr_needs_none() -> None:
    assert doubt(HEADER, pictures=1.0, hidden=True) is None


def shifted(text: str, by: int) -> str:
    return "".join(chr(max(1, ord(one) + by)) for one in text)


@pytest.mark.parametrize("by", [-29, -31, 0xE000, 0xF000, 0xFFFD])
def test_codes_are_known_as_such(by: int) -> None:
    text = "\ufffd" * len(PROSE) if by == 0xFFFD else shifted(PROSE, by)
    assert doubt(text) is Doubt.NO_MEANING
    assert doubt(PROSE * 2 + text) is Doubt.NO_MEANING


def test_codes_that_look_like_letters_are_known_by_their_vowels_and_their_font() -> None:
    words = " ".join(shifted(word, -29) for word in PROSE.split())
    assert doubt(words, unmapped=True) is Doubt.NO_MEANING
    assert doubt(words) is None
    assert doubt(PROSE, unmapped=True) is None


@pytest.mark.parametrize("mark", ["\uf0b7", "\uf0e0", "\ufffd"])
def test_bullets_of_a_symbol_font_are_no_reason(mark: str) -> None:
    assert doubt("".join(f"{mark} {PROSE}" for _ in range(8))) is None


@pytest.mark.parametrize(
    "text",
    [
        "Účet č. 12 zaplaťte čtvrtého.\n" * 3,
        "東京に行きます。\n" * 9,
        "Привет, мир. " * 9,
        "שלום עולם " * 9,
        "نص عربي " * 9,
    ],
)
def test_text_in_other_scripts_has_a_meaning(text: str) -> None:
    assert doubt(f"{text}\n" * 9) is None


@given(st.text(string.ascii_letters + string.digits + " \n.,;äöüß"))
def test_plain_characters_are_never_odd(text: str) -> None:
    facts = TextFacts.of(text)
    assert (facts.odd, facts.odd_word) == (0, False)
    assert facts.characters == sum(not one.isspace() for one in text)
    assert facts.vowels <= facts.letters <= facts.characters


def test_the_share_of_a_page_under_pictures_counts_each_place_once() -> None:
    assert share_under([(0, 0, 100, 50), (0, 25, 100, 50)], 100, 100) == 0.5
    strips = [(0, top, 100, top + 5) for top in range(0, 100, 5)]
    assert share_under(strips, 100, 100) == 1
    assert share_under([(-50, -50, 150, 150)], 100, 100) == 1
    assert share_under([(200, 0, 300, 100)], 100, 100) == 0
    assert share_under([(0, 0, 1, 1)], 0, 0) == 0


boxes = st.tuples(*[st.floats(-50, 150)] * 4)


@given(st.lists(boxes, max_size=8), boxes)
def test_another_picture_never_makes_the_share_smaller(some: list[tuple[float, ...]], more: tuple[float, ...]) -> None:
    before = share_under(some, 100, 100)  # type: ignore[arg-type]
    assert 0 <= before <= share_under([*some, more], 100, 100) <= 1  # type: ignore[list-item]
