"""How fields are filled without a model."""

from services.worker.providers import Providers
from services.worker.templates import Languages, apply_template, fill, parse


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
