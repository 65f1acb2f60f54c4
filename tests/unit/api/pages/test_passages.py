"""Where a passage is: its page in the texts of a job, and its lines among the words of the page."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.pages import FinishedPage, PageWord
from services.api.pages.passages import Passage, SearchablePages, boxes_of, folded

TEXTS = {3: "Annual report.\nThe heat pump", 4: "is serviced in May. It hums.", 7: "Größe: 1,80 m"}
PAGES = [FinishedPage(page=number, text=text) for number, text in TEXTS.items()]
WORDS = [
    PageWord("Annual", 0.1, 0.1, 0.3, 0.12, 0),
    PageWord("report.", 0.32, 0.1, 0.5, 0.12, 0),
    PageWord("The", 0.1, 0.2, 0.15, 0.22, 1),
    PageWord("heat", 0.16, 0.2, 0.25, 0.22, 1),
    PageWord("\u2014", 0.26, 0.2, 0.27, 0.22, 1),
    PageWord("pump", 0.1, 0.3, 0.2, 0.32, 2),
]


def found(passage: str) -> Passage | None:
    return SearchablePages.of(PAGES).find(passage)


def test_a_passage_is_found_whatever_its_white_space_its_case_and_its_marks() -> None:
    assert found("**annual**  report.\n\nTHE") == Passage(3, "annualreportthe")
    assert found("grösse: 1,80") == Passage(7, "grösse180")


def test_a_passage_over_two_pages_is_on_the_one_with_most_of_it() -> None:
    assert found("pump is serviced in May") == Passage(4, "isservicedinmay")
    assert found("The heat pump\n--- Seite 4 ---\nis") == Passage(3, "theheatpump")


def test_a_passage_of_which_only_the_beginning_is_found_is_there() -> None:
    page = FinishedPage(page=1, text="x" * 10 + "y" * 60 + "z")
    assert SearchablePages.of([page]).find("y" * 60 + "other") == Passage(1, "y" * 60)


@pytest.mark.parametrize("passage", ["not there", "", "--- Seite 3 ---", "\u2014 !"])
def test_what_is_in_no_page_and_what_has_no_letters_is_not_found(passage: str) -> None:
    assert found(passage) is None


def test_without_pages_nothing_is_found() -> None:
    assert SearchablePages.of([]).find("a") is None


def test_each_line_of_a_passage_has_a_box_around_its_words() -> None:
    assert boxes_of(folded("report. The heat pump"), WORDS) == [
        (0.32, 0.1, 0.5, 0.12),
        (0.1, 0.2, 0.27, 0.22),
        (0.1, 0.3, 0.2, 0.32),
    ]


@pytest.mark.parametrize("text", ["", "somethingelse"])
def test_a_text_that_the_words_do_not_have_has_no_boxes(text: str) -> None:
    assert boxes_of(text, WORDS) == []
    assert boxes_of(text, []) == []


@given(st.lists(st.text(max_size=30), max_size=6), st.text(max_size=20))
def test_every_part_of_a_page_is_found(texts: list[str], more: str) -> None:
    pages = [FinishedPage(page=number, text=text) for number, text in enumerate(texts, 1)]
    searched = SearchablePages.of(pages)
    for page in pages:
        here = searched.find(page.text)
        assert (here is None) == (folded(page.text) == "")
        assert here is None or here.text in folded(page.text)
    searched.find(more)
