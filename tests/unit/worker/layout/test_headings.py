"""The levels of headings, by the sizes of their fonts and by their numbers."""

import pytest

from services.worker.layout.headings import key_of, levels_of, without_running
from services.worker.layout.regions import PageLayout, Region, RegionLine, Run


def region(text: str, size: float = 12, name: str = "section-header") -> Region:
    box = (0.0, 0.0, 100.0, size)
    return Region(name, box, (RegionLine(box, (Run(text, 0, 100, size),)),))


def levels(*headings: Region) -> list[int]:
    found = levels_of([PageLayout(headings)])
    return [found[key_of(heading)] for heading in headings]


def test_a_larger_font_is_a_higher_level() -> None:
    assert levels(region("Chapter", 18), region("Part", 12), region("Detail", 9), region("Next", 18)) == [1, 2, 3, 1]


def test_sections_among_numbered_ones_of_the_same_size_belong_to_them() -> None:
    found = levels(
        region("A paper", 20), region("I. METHODS"), region("A. Sensors"), region("B. Data"), region("II. RESULTS"),
        region("REFERENCES"),
    )  # fmt: skip
    assert found == [1, 2, 3, 3, 2, 2]


def test_numbers_with_points_count_the_depth() -> None:
    headings = ("1 Start", "1.1 Aim", "1.1.1 Words", "2 End", "2.1 Outlook")
    assert levels(*(region(text) for text in headings)) == [1, 2, 3, 1, 2]


def test_an_appendix_is_as_high_as_the_sections_before_it() -> None:
    assert levels(region("1. Start"), region("2. End"), region("A. Tables"), region("B. Proofs")) == [1, 1, 1, 1]


@pytest.mark.parametrize(("pages", "kept"), [(2, True), (3, False)])
def test_a_heading_that_begins_several_pages_is_a_running_header(pages: int, kept: bool) -> None:
    document = [
        PageLayout((region(f"{number} The harbour"), region("Words", name="text"))) for number in range(1, pages + 1)
    ]
    names = {page.regions[0].name for page in without_running(document)}
    assert names == ({"section-header"} if kept else {"page-header"})
