"""The numbers of headings, clauses and list items are computed, since a document does not store them."""

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support.files.ooxml import element, paragraph, run, word
from tests.support.runs.extraction import Desk

LINKS = [("n", "numbering", "numbering.xml"), ("s", "styles", "styles.xml")]


def level(number: int, text: str, style: str = "decimal", more: str = "") -> str:
    form = f'<w:start w:val="1"/><w:numFmt w:val="{style}"/>{more}<w:lvlText w:val="{text}"/>'
    return f'<w:lvl w:ilvl="{number}">{form}</w:lvl>'


def numbering(*levels: str, nums: str = '<w:num w:numId="1"><w:abstractNumId w:val="0"/></w:num>') -> str:
    return element("w:numbering", f'<w:abstractNum w:abstractNumId="0">{"".join(levels)}</w:abstractNum>{nums}')


def item(text: str, depth: int = 0, num: int = 1) -> str:
    return paragraph(run(text), f'<w:numPr><w:ilvl w:val="{depth}"/><w:numId w:val="{num}"/></w:numPr>')


def text_of(desk: Desk, body: str, lists: str, styles: str = "") -> str:
    parts = {"numbering.xml": lists, "styles.xml": element("w:styles", styles)}
    return desk.text(word(desk.folder / "a.docx", body, LINKS, parts))


LEGAL = numbering(level(0, "%1."), level(1, "%1.%2"), level(2, "(%3)", "lowerLetter"))


def test_clauses_have_their_numbers(desk: Desk) -> None:
    body = item("Scope") + item("Terms", 1) + item("Words", 2) + item("Names", 2) + item("Law", 1) + item("Price")
    assert text_of(desk, body, LEGAL) == (
        "1. Scope\n   - 1.1 Terms\n     - (a) Words\n     - (b) Names\n   - 1.2 Law\n2. Price"
    )


def test_an_empty_item_counts_unless_it_was_deleted(desk: Desk) -> None:
    deleted = item("", 0).replace("</w:pPr>", '<w:rPr><w:del w:id="1" w:author="a"/></w:rPr></w:pPr>')
    body = item("one") + item("") + item("three") + deleted + item("four")
    assert text_of(desk, body, LEGAL) == "1. one\n3. three\n4. four"


def test_headings_have_their_numbers(desk: Desk) -> None:
    styles = "".join(
        f'<w:style w:type="paragraph" w:styleId="H{n}"><w:name w:val="heading {n}"/>'
        '<w:pPr><w:numPr><w:numId w:val="1"/></w:numPr></w:pPr></w:style>'
        for n in (1, 2)
    )
    lists = numbering(level(0, "%1", more='<w:pStyle w:val="H1"/>'), level(1, "%1.%2", more='<w:pStyle w:val="H2"/>'))

    def heading(text: str, n: int) -> str:
        return paragraph(run(text), f'<w:pStyle w:val="H{n}"/>')

    body = heading("Aim", 1) + heading("Means", 2) + heading("Ends", 2) + heading("Result", 1)
    assert text_of(desk, body, lists, styles) == "# 1 Aim\n\n## 1.1 Means\n\n## 1.2 Ends\n\n# 2 Result"


def test_a_list_may_start_again_and_elsewhere(desk: Desk) -> None:
    nums = (
        '<w:num w:numId="1"><w:abstractNumId w:val="0"/></w:num><w:num w:numId="2"><w:abstractNumId w:val="0"/>'
        '<w:lvlOverride w:ilvl="0"><w:startOverride w:val="7"/></w:lvlOverride></w:num>'
    )
    body = item("a") + item("b") + item("c", num=2) + item("d", num=2)
    assert text_of(desk, body, numbering(level(0, "%1."), nums=nums)) == "1. a\n2. b\n7. c\n8. d"


def test_numerals_are_those_of_the_list(desk: Desk) -> None:
    styles = {"upperRoman": "II.", "lowerRoman": "ii.", "upperLetter": "B.", "decimalZero": "02.", "ordinal": "2nd."}
    for style, marker in styles.items():
        assert marker in text_of(desk, item("a") + item("b"), numbering(level(0, "%1.", style)))


def test_bullets_and_lists_without_numbers_are_plain(desk: Desk) -> None:
    bullets = numbering(level(0, "\uf0b7", "bullet"))
    assert text_of(desk, item("a") + item("b"), bullets) == "- a\n- b"
    assert text_of(desk, item("a"), numbering(level(0, "", "none"))) == "a"
    assert text_of(desk, item("a", num=0), bullets) == "a"
    assert text_of(desk, item("a", num=99), bullets) == "a"


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.lists(st.integers(0, 2), max_size=14))
def test_deeper_levels_start_again_below_each_item(desk: Desk, wanted: list[int]) -> None:
    lists = numbering(level(0, "%1"), level(1, "%1.%2"), level(2, "%1.%2.%3"))
    counts = [1, 0, 0]
    depths, expected = [0], ["1"]
    for wish in wanted:
        depth = min(wish, depths[-1] + 1)  # no level is skipped
        counts[depth] += 1
        counts[depth + 1 :] = [0] * (2 - depth)
        depths.append(depth)
        expected.append(".".join(str(count) for count in counts[: depth + 1]))
    text = text_of(desk, "".join(item("x", depth) for depth in depths), lists)
    assert [line.split()[1] for line in text.splitlines() if line] == expected
