"""Fill the fields of a template by a chat model if one is configured, else by local rules."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from piperoll.templates import Template, render
from services.worker.providers import Providers
from services.worker.templates import prompts, rules

Origin = Literal["model", "rules", "none"]
"""What filled the fields; `none` for a template without fields."""


@dataclass(frozen=True, slots=True)
class Languages:
    """The languages of the text and of the fields, as codes such as `de`."""

    source: str = "de"
    target: str = "de"


@dataclass(frozen=True, slots=True)
class FilledFields:
    """A value for each field, which may be empty; `notes` are sentences for the job's log."""

    values: dict[str, Any]
    origin: Origin
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class TransformedText:
    """The rendered text, the values of the fields, what filled them, and sentences for the job's log."""

    text: str
    fields: dict[str, Any]
    origin: Origin
    notes: tuple[str, ...] = field(default=())


def apply_template(
    template: Template,
    text: str,
    context: Mapping[str, Any],
    languages: Languages,
    providers: Providers,
    *,
    descriptions: Mapping[str, str] | None = None,
    local: bool | None = None,
    model: str | None = None,
) -> TransformedText:
    """Fill and render a template. `descriptions` extend the instructions of fields, or add fields to the result only.

    `local`: True for local rules, False for a chat model, None for the model if one is configured, else the rules.
    `model` overrides the configured model. Raises ProcessingError as `Providers.chat_json` does.
    """
    filled = fill(template, text, context, languages, providers, descriptions=descriptions, local=local, model=model)
    return TransformedText(render(template, filled.values, context, text), filled.values, filled.origin, filled.notes)


def fill(
    template: Template,
    text: str,
    context: Mapping[str, Any],
    languages: Languages,
    providers: Providers,
    *,
    descriptions: Mapping[str, str] | None = None,
    local: bool | None = None,
    model: str | None = None,
) -> FilledFields:
    """Return the values of a template's fields; see `apply_template`."""
    fields = _described(template.fields, descriptions or {})
    if not fields:
        return FilledFields({}, "none", ("The template has no fields to fill.",))
    if local or (local is None and not providers.has_chat):
        return _by_rules(fields, text, languages, requested=bool(local))
    system = prompts.system(template.system_prompt, languages.target)
    answer = providers.chat_json(system, prompts.user(text, context, fields, languages.source), model)
    values = {name: "" if answer.get(name) is None else answer[name] for name in fields}
    note = f"The fields of the template were filled by the model {model or providers.chat_model}."
    return FilledFields(values, "model", (note, *_empty(values)))


def _described(fields: Mapping[str, str], descriptions: Mapping[str, str]) -> dict[str, str]:
    both = {name: f"{fields[name]} {descriptions[name]}" for name in fields if name in descriptions}
    return {**descriptions, **fields, **both} if descriptions else dict(fields)


def _by_rules(fields: Mapping[str, str], text: str, languages: Languages, requested: bool) -> FilledFields:
    values = rules.extract(fields, text)
    why = "as requested" if requested else "since no chat model is configured (MISTRAL_API_KEY)"
    notes = [f"The fields of the template were filled by local rules, {why}."]
    if languages.source != languages.target:
        notes.append(f"Local rules do not translate: the fields are in the language of the text ({languages.source}).")
    return FilledFields(values, "rules", (*notes, *_empty(values)))


def _empty(values: Mapping[str, Any]) -> Sequence[str]:
    empty = [name for name, value in values.items() if value in ("", [], {})]
    return [f"No value was found in the text for: {', '.join(empty)}."] if empty else []
