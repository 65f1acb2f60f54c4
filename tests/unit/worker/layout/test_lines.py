"""Lines of a region as running text, as code, and as items of lists."""

import pytest

from schemas.blocks import BlockKind
from services.worker.layout.items import items_of, levelled
from services.worker.layout.lines import code_of, spans_of, text_of
from services.worker.layout.regions import Region, RegionLine, Run


def line(text: str, left: float = 0, top: float = 0, **style: bool) -> RegionLine:
    right = left + 6 * len(text)
    return RegionLine((left, top, right, top + 10), (Run(text, left, right, 10, **style),))


@pytest.mark.parametrize(
    ("first", "second", "whole"),
    [
        ("one word", "and another", "one word and another"),
        ("a divi-", "ded word", "a divided word"),
        ("a soft\u00ad", "ness", "a softness"),
        ("pre-", "and postwar", "pre- and postwar"),
        ("from 1914-", "1918", "from 1914- 1918"),
        ("Anglo-", "American", "Anglo- American"),
        ("租客在每月", "支付租金", "租客在每月支付租金"),
    ],
)
def test_lines_are_one_text_in_which_no_word_is_divided(first: str, second: str, whole: str) -> None:
    assert text_of([line(first), line(second, top=12)]) == whole


def test_a_gap_in_a_line_is_a_blank_and_a_subscript_is_none() -> None:
    runs = (Run("H", 0, 6, 10), Run("2", 6.2, 9, 6), Run("O", 9.1, 15, 10), Run("is", 18, 25, 10))
    assert text_of([RegionLine((0, 0, 25, 10), runs)]) == "H2O is"


def test_styles_are_kept() -> None:
    spans = spans_of([line("bold words", bold=True), line("plain words", top=12)])
    assert [(span.text, span.bold) for span in spans] == [("bold words ", True), ("plain words", False)]


def test_code_keeps_its_indentation_and_its_empty_lines() -> None:
    lines = [line("if x:"), line("y()", left=24, top=12), line("z()", top=36)]
    assert code_of(lines) == "if x:\n    y()\n\nz()"


def test_each_line_with_a_marker_begins_an_item() -> None:
    region = Region(
        "list-item", (0, 0, 90, 60), (line("• one"), line("goes on", left=8, top=12), line("• two", top=24))
    )
    assert [(item.marker, item.text) for item in items_of(region)] == [("•", "one goes on"), ("•", "two")]


@pytest.mark.parametrize(
    ("text", "marker", "rest"),
    [("3. wash", "3.", "wash"), ("a) peel", "a)", "peel"), ("\uf0b7 cook", "•", "cook"), ("eat it", "-", "eat it")],
)
def test_markers_stand_apart_from_the_text(text: str, marker: str, rest: str) -> None:
    [item] = items_of(Region("list-item", (0, 0, 90, 10), (line(text),)))
    assert (item.kind, item.marker, item.text) == (BlockKind.LIST_ITEM, marker, rest)


def test_items_further_right_belong_to_the_one_before() -> None:
    places = [(0, 0), (20, 12), (40, 24), (20, 36), (0, 48), (300, 0)]
    items = [
        item
        for left, top in places
        for item in items_of(Region("list-item", (left, top, left + 50, top + 10), (line("- x", left, top),)))
    ]
    assert [item.level for item in levelled(items)] == [1, 2, 3, 2, 1, 1]
