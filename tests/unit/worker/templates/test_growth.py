"""The work on a template or a text grows with its length, not faster, whatever it contains."""

import pytest

from piperoll.templates import TemplateReadError, engine
from schemas.formats import Kind
from services.worker.files.kinds import kind_of
from services.worker.processors.extraction.markup import first_heading
from services.worker.processors.session.slides import slides
from services.worker.templates import outline, rules
from tests.support.backtracking import Counter


def steps(turns: int, opened: str, end: str) -> int:
    """The steps of the search for markers in a line of front matter."""
    line = "x" + opened * turns + end
    return Counter(engine._MARKER).search_all(engine._up_to_the_last_end(line))


@pytest.mark.parametrize("opened", ["{{a|", "{{a", "{{", "{{a|b}}{{a|"])
@pytest.mark.parametrize("end", ["", "}", "}}", "{{b}}"])
def test_markers_that_are_opened_and_not_closed_are_not_searched_to_the_end_each(opened: str, end: str) -> None:
    if end == "}" and opened.endswith("|"):
        with pytest.raises(TemplateReadError):  # such a line is in no template
            engine.parse(opened * 9 + end)
    else:
        assert steps(100, opened, end) < 3 * steps(50, opened, end) + 10


def test_a_front_matter_of_open_markers_is_rendered_as_it_is() -> None:
    front = "key: x" + "{{a|" * 5000
    template = engine.parse(f"---\n{front}\n---\n}}}}")
    assert engine.render(template, {}, {}, "").startswith(f"---\n{front}\n---\n")


def test_a_line_with_markers_and_an_open_one_is_filled_up_to_the_open_one() -> None:
    template = engine.parse("---\nkey: {{a|b}} and {{c\nother {{a|b}} {{c\n---\n")
    assert engine.render(template, {"a": "A"}, {}, "") == '---\nkey: "A and {{c"\nother A {{c\n---\n'


def test_list_fields_on_one_long_line_are_each_judged_by_what_is_beside_them() -> None:
    template = engine.parse("{{a|b}}" * 3000 + "\n \t{{a|b}} \t\nx {{a|b}}\n{{a|b}}")
    rendered = engine.render(template, {"a": ["1", "2"]}, {}, "").splitlines()
    assert rendered == ["1, 2" * 3000, " \t- 1", "- 2 \t", "x 1, 2", "- 1", "- 2"]


@pytest.mark.parametrize(
    ("line", "heading"),
    [
        ("# A title #", "A title"),
        ("## A # b ##", "A # b"),
        ("# #", "#"),
        ("# ###", "#"),
        ("#  \t Tab", "Tab"),
        ("####### seven", ""),
        ("#none", ""),
        ("# ", ""),
    ],
)
def test_headings_are_read_without_the_marks_that_close_them(line: str, heading: str) -> None:
    assert first_heading(f"text\n{line}\nmore") == heading


def test_long_lines_of_marks_are_read_once() -> None:
    assert first_heading("# " + "#" * 200_000 + "x").endswith("###")
    (line,) = outline.outline("# " + "# " * 100_000 + "x")
    assert (line.kind, line.label[-1]) == ("heading", "x")
    assert rules.extract(["participants"], "Participants: " + "," * 100_000) == {"participants": []}
    assert slides({1: "![" * 100_000}, {})[0].title.startswith("![")
    assert kind_of(b"<!---->" * 10_000 + b"x", (), "", "a.html", "") is Kind.HTML


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("Ann, Bob; Cy and Dee und Eve & Fox", ["Ann", "Bob", "Cy", "Dee", "Eve", "Fox"]),
        ("Ann (Sales, Rome), Bob", ["Ann (Sales, Rome)", "Bob"]),
        ("Ann, b) Bob, Cy", ["Ann, b) Bob", "Cy"]),
        ("Ann (x, (y, z), w), Bob", ["Ann (x", "(y, z), w)", "Bob"]),
        ("Ann,", ["Ann"]),
    ],
)
def test_names_are_split_at_commas_outside_of_parentheses(text: str, names: list[str]) -> None:
    assert rules.extract(["participants"], f"Participants: {text}")["participants"] == names


@pytest.mark.parametrize("before", ["", "\n ", "<?xml version='1.0'?>\n", "<!-- a -->", "<!--->--> <!-- --- -->\n"])
def test_a_web_page_is_detected_after_comments(before: str) -> None:
    assert kind_of(f"{before}<!DOCTYPE html><p>".encode(), (), "", "a", "") is Kind.HTML


def test_each_field_looks_at_the_lines_of_its_label_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    folded: list[str] = []
    really = rules.fold
    monkeypatch.setattr(rules, "fold", lambda label: folded.append(label) or really(label))  # type: ignore[func-returns-value]
    names = [f"field{number}" for number in range(200)]
    values = rules.extract(names, "Field7: seven\n- other: x\n" * 300)
    assert values["field7"] == "seven"
    assert len(folded) < 1000, "not once for each pair of a field and a line"
