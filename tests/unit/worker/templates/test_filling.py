"""How fields are filled without a model."""

from services.worker.providers import Providers
from services.worker.templates import Languages, apply_template, fill, parse


def test_a_template_without_fields_is_rendered_without_a_model() -> None:
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


def test_notes_name_the_local_rules_and_the_fields_they_did_not_find() -> None:
    filled = fill(parse("{{summary|x}} {{budget|y}}"), "One sentence.", {}, Languages("en", "de"), Providers())
    assert filled.origin == "rules"
    assert filled.values == {"summary": "One sentence.", "budget": ""}
    notes = " ".join(filled.notes)
    assert "local rules" in notes
    assert "MISTRAL_API_KEY" in notes
    assert "do not translate" in notes
    assert "budget" in notes
