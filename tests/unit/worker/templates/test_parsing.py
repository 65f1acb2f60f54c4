"""How a template is read: its parts and fields, and the errors of a broken one."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.errors import ErrorCode
from services.worker.errors import ProcessingError
from services.worker.templates import parse, render


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


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ("---\ntitle: {{title|x}}\nno end", "front matter"),
        ("fine\n{{name|an instruction with } in it}}", "line 2"),
        ("{{name|never closed", "line 1"),
        ("{{1name|x}}", "line 1"),
        ("{{name|}}", "line 1"),
        ("{{my name|x}}", "line 1"),
    ],
)
def test_a_broken_template_is_refused_with_its_error(content: str, sentence: str) -> None:
    with pytest.raises(ProcessingError) as failed:
        parse(content)
    assert failed.value.code is ErrorCode.TEMPLATE_ERROR
    assert failed.value.error_type == "TemplateReadError"
    assert sentence in failed.value.message


@given(st.text(alphabet="ab{}|-:\n #\"'\\", max_size=200), st.text(max_size=30))
def test_every_text_is_either_a_template_or_refused_with_a_sentence(content: str, value: str) -> None:
    try:
        template = parse(content)
    except ProcessingError:
        return
    render(template, dict.fromkeys(template.fields, value), {"a": value, "b": [value]}, value)


def test_a_template_of_nothing_but_openings_is_looked_through_in_no_time() -> None:
    for end in ("", "}}"):
        content = "{{a|" * 250_000 + end
        if end:
            parse(content)
        else:
            with pytest.raises(ProcessingError):
                parse(content)
