"""The template engine and its library: parts, fields, front matter, variables, and what a broken template says."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from schemas.errors import ErrorCode
from services.worker.errors import ProcessingError
from services.worker.providers import Providers
from services.worker.templates import Languages, apply_template, available, fill, load, parse, render
from services.worker.templates.library import MAX_BYTES, SHIPPED

ASKED_FOR = (
    "MeetingMinutes",
    "Session",
    "Session_de",
    "Session_en",
    "Besprechung",
    "BlogPost",
    "LectureNotes",
    "Interview",
    "Letter",
    "ProductSheet",
    "Summary",
)


def rendered(content: str, values: Any = None, context: Any = None, text: str = "the input") -> str:
    return render(parse(content), values or {}, context or {}, text)


def test_a_template_has_front_matter_a_body_a_prompt_and_fields_in_order() -> None:
    template = parse(
        "---\ntitle: {{title|The title.}}\n---\n# {{title|Another.}}\n{{a|First}}\n--- systemprompt\nBe brief.\n"
    )
    assert template.front == ("title: {{title|The title.}}",)
    assert template.body == "# {{title|Another.}}\n{{a|First}}\n"
    assert template.system_prompt == "Be brief."
    assert list(template.fields.items()) == [("title", "The title."), ("a", "First")]


def test_fields_in_the_prompt_are_not_fields() -> None:
    assert parse("x\n--- systemprompt\n{{a|b}}").fields == {}


def test_windows_line_ends_and_a_byte_order_mark_change_nothing() -> None:
    assert parse("\ufeff---\r\na: b\r\n---\r\nbody").front == ("a: b",)


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


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("---\ntitle: {{title|x}}\nno end", "front matter"),
        ("fine\n{{name|an instruction with } in it}}", "line 2"),
        ("{{name|never closed", "line 1"),
        ("{{1name|x}}", "line 1"),
        ("{{name|}}", "line 1"),
        ("{{my name|x}}", "line 1"),
    ],
)
def test_a_broken_template_says_what_is_wrong_with_it(content: str, said: str) -> None:
    with pytest.raises(ProcessingError) as failed:
        parse(content)
    assert failed.value.code is ErrorCode.TEMPLATE_ERROR
    assert failed.value.error_type == "TemplateReadError"
    assert said in failed.value.message


@given(st.text(alphabet="ab{}|-:\n #\"'\\", max_size=200), st.text(max_size=30))
def test_every_text_is_either_a_template_or_refused_with_a_sentence(content: str, value: str) -> None:
    try:
        template = parse(content)
    except ProcessingError:
        return
    render(template, dict.fromkeys(template.fields, value), {"a": value, "b": [value]}, value)


@given(st.dictionaries(st.sampled_from(["title", "tags", "date"]), st.text() | st.lists(st.text()) | st.integers()))
def test_front_matter_is_always_yaml(values: dict[str, Any]) -> None:
    text = rendered("---\ntitle: {{title|x}}\ntags: {{tags|x}}\ndate: {{date|x}}\n---\n", values)
    front = text.removeprefix("---\n").rpartition("---\n")[0]
    for line in front.splitlines():
        json.loads(line.partition(": ")[2])
    assert not isinstance(yaml.safe_load(front), str)


def test_a_template_of_nothing_but_openings_is_looked_through_in_no_time() -> None:
    for end in ("", "}}"):
        content = "{{a|" * 250_000 + end
        if end:
            parse(content)
        else:
            with pytest.raises(ProcessingError):
                parse(content)


# --- the library ------------------------------------------------------------------------------------------------------


def test_the_templates_that_ship_can_be_parsed_and_have_fields_and_a_prompt() -> None:
    assert sorted(ASKED_FOR) == available()
    for name in ASKED_FOR:
        template = parse(load(name)[1])
        assert template.fields, name
        assert "{target_language}" in template.system_prompt, name
        text = render(template, dict.fromkeys(template.fields, "value"), {}, "text")
        assert "|" not in text.replace("| |", "").replace("|---|---|", "") or name == "Letter", name


def test_minutes_ask_for_the_summary_the_participants_and_the_action_items() -> None:
    assert {"summary", "participants", "action_items"} <= set(parse(load("MeetingMinutes")[1]).fields)


def test_an_operator_s_template_goes_before_a_shipped_one_of_its_name(tmp_path: Path) -> None:
    (tmp_path / "MeetingMinutes.md").write_text("mine")
    (tmp_path / "Own.md").write_text("own")
    assert load("MeetingMinutes", tmp_path) == ("MeetingMinutes", "mine")
    assert load("Own", tmp_path)[1] == "own"
    assert "Own" in available(tmp_path)
    assert load("Summary", tmp_path)[1] == (SHIPPED / "Summary.md").read_text(encoding="utf-8")


def test_the_first_template_that_there_is_is_taken() -> None:
    assert load(("Session_fr", "Session", "Session_en"))[0] == "Session"


@pytest.mark.parametrize("name", ["../secret", "a/b", "a.b", "", "/etc/passwd", "Sess\u0456on", "a\x00", "a\n"])
def test_a_name_that_could_be_a_path_is_not_looked_for(name: str, tmp_path: Path) -> None:
    (tmp_path / "secret.md").write_text("secret")
    (tmp_path / "folder").mkdir()
    with pytest.raises(ProcessingError) as failed:
        load(name, tmp_path / "folder")
    assert failed.value.code is ErrorCode.TEMPLATE_ERROR


def test_an_unknown_template_names_those_that_there_are() -> None:
    with pytest.raises(ProcessingError, match="MeetingMinutes") as failed:
        load("Nonsense")
    assert (failed.value.code, failed.value.retryable) == (ErrorCode.TEMPLATE_ERROR, False)


@pytest.mark.parametrize("content", [b"\xff\xfe", b"x" * (MAX_BYTES + 1)])
def test_a_template_that_is_no_text_or_too_large_is_refused(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "Bad.md").write_bytes(content)
    with pytest.raises(ProcessingError) as failed:
        load("Bad", tmp_path)
    assert failed.value.code is ErrorCode.TEMPLATE_ERROR


# --- filling without a model ------------------------------------------------------------------------------------------


def test_a_template_without_fields_is_rendered_and_nobody_is_asked() -> None:
    made = apply_template(parse("Dear {{name}}: {{text}}"), "hello", {"name": "Ada"}, Languages(), Providers())
    assert (made.text, made.fields, made.origin) == ("Dear Ada: hello", {}, "none")


def test_descriptions_add_fields_that_the_result_shows_and_the_text_does_not() -> None:
    made = apply_template(
        parse("{{summary|x}}"),
        "One sentence.\nBudget: 5 EUR",
        {},
        Languages(),
        Providers(),
        descriptions={"budget": "y"},
    )
    assert made.fields == {"summary": "One sentence.", "budget": "5 EUR"}
    assert made.text == "One sentence."


def test_it_is_said_that_rules_filled_the_fields_and_what_they_did_not_find() -> None:
    filled = fill(parse("{{summary|x}} {{budget|y}}"), "One sentence.", {}, Languages("en", "de"), Providers())
    assert filled.origin == "rules"
    assert filled.values == {"summary": "One sentence.", "budget": ""}
    said = " ".join(filled.notes)
    assert "local rules" in said
    assert "MISTRAL_API_KEY" in said
    assert "do not translate" in said
    assert "budget" in said
