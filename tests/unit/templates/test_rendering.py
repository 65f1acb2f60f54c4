"""How a template is rendered: fields, variables and front matter."""

import json
from typing import Any

import yaml
from hypothesis import given
from hypothesis import strategies as st

from piperoll.templates import parse, render


def rendered(content: str, values: Any = None, context: Any = None, text: str = "the input") -> str:
    return render(parse(content), values or {}, context or {}, text)


def test_fields_and_variables_are_filled_once_and_what_is_in_them_stays_as_it_is() -> None:
    content = "{{a|x}} {{b}} {{text}} {{unknown}}"
    values, context = {"a": "{{b}}"}, {"b": "{{text}} {{a|x}}"}
    assert rendered(content, values, context) == "{{b}} {{text}} {{a|x}} the input {{unknown}}"


def test_the_input_text_cannot_be_replaced_by_the_context() -> None:
    assert rendered("{{text}}", context={"text": "other"}) == "the input"


def test_lists_and_objects_of_the_context_are_json_and_nothing_is_an_empty_text() -> None:
    context = {"list": ["ä", 1], "object": {"k": None}, "number": 1.5, "nothing": None, "yes": True}
    assert rendered("{{list}}|{{object}}|{{number}}|{{nothing}}|{{yes}}", context=context) == (
        '["ä", 1]|{"k": null}|1.5||true'
    )


def test_a_field_s_list_is_a_list_where_it_has_a_line_for_itself_and_words_elsewhere() -> None:
    values = {"who": ["Ada", "Bob"], "what": [{"k": 1}], "none": []}
    assert rendered("{{who|x}}\nWith {{who|x}}.\n{{what|x}}\n{{none|x}}.", values) == (
        '- Ada\n- Bob\nWith Ada, Bob.\n[{"k": 1}]\n.'
    )


def test_a_field_without_a_value_is_empty() -> None:
    assert rendered("[{{a|x}}]", {"a": None}) == "[]"
    assert rendered("[{{a|x}}]") == "[]"


def test_front_matter_is_rebuilt_in_its_order_as_yaml_that_reads_back() -> None:
    content = (
        "---\n"
        "# a comment stays\n"
        "title: {{title|x}}\n"
        "date: {{day|x}}\n"
        'kind: "constant"\n'
        "speakers:\n"
        "tags: {{tags|x}}\n"
        "topics: {{topics|x}}\n"
        "event: {{event}}\n"
        "missing: {{missing}}\n"
        "people: {{people|x}}\n"
        "label: Minutes of {{day|x}}, {{event}}\n"
        "---\nbody"
    )
    values = {"title": 'A "quoted"\nline \\ end', "day": "2024-05-03", "tags": ["a", "b"], "people": ["Ada", "Bob"]}
    text = rendered(content, values, {"speakers": ["Ada"], "event": "Conf: one"})
    front = text.split("---\n")[1]
    assert front.splitlines()[0] == "# a comment stays"
    assert yaml.safe_load(front) == {
        "title": 'A "quoted" line \\ end',
        "date": "2024-05-03",
        "kind": "constant",
        "speakers": ["Ada"],
        "tags": ["a", "b"],
        "topics": [],
        "event": "Conf: one",
        "missing": "",
        "people": "Ada, Bob",
        "label": "Minutes of 2024-05-03, Conf: one",
    }
    assert list(yaml.safe_load(front)) == [line.split(":")[0] for line in content.splitlines()[2:-2]]


def test_constants_of_several_lines_stay_as_they_are() -> None:
    content = "---\ntags:\n  - a\n  - b\n---\n"
    assert rendered(content) == content


def test_a_template_without_markers_is_rendered_as_it_is() -> None:
    for content in ("# Plain\n\n---\n\ntext {like} {{ this }}\n", "", "--- not front\n"):
        assert rendered(content) == content


@given(st.dictionaries(st.sampled_from(["title", "tags", "date"]), st.text() | st.lists(st.text()) | st.integers()))
def test_front_matter_is_always_yaml(values: dict[str, Any]) -> None:
    text = rendered("---\ntitle: {{title|x}}\ntags: {{tags|x}}\ndate: {{date|x}}\n---\n", values)
    front = text.removeprefix("---\n").rpartition("---\n")[0]
    for line in front.splitlines():
        json.loads(line.partition(": ")[2])
    assert not isinstance(yaml.safe_load(front), str)
