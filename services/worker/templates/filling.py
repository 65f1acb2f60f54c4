"""Fills the fields of a template: by a chat model where there is one, else by rules. Says which it was."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from services.worker.providers import Providers
from services.worker.templates import prompts, rules
from services.worker.templates.engine import Template, render

Origin = Literal["model", "rules", "none"]
"""Who filled the fields; `none` for a template without any."""


@dataclass(frozen=True, slots=True)
class Languages:
    """Codes such as `de`: what the text is in, and what the fields are to be written in."""

    source: str = "de"
    target: str = "de"


@dataclass(frozen=True, slots=True)
class Filled:
    """A value for each field, empty where nothing was found; `notes` are sentences for the job's log."""

    values: dict[str, Any]
    origin: Origin
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Transformed:
    """The rendered text, the fields' values, who filled them, and sentences for the job's log."""

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
) -> Transformed:
    """Fills and renders. `descriptions` add to the instructions of fields, or add fields that only the result shows.

    `local` says whether rules fill the fields or a chat model; None: the model where one is configured, else the
    rules. `model` names another than the configured one. Raises ProcessingError as `Providers.chat_json` does.
    """
    filled = fill(template, text, context, languages, providers, descriptions=descriptions, local=local, model=model)
    return Transformed(render(template, filled.values, context, text), filled.values, filled.origin, filled.notes)


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
) -> Filled:
    """The values of a template's fields; see `apply_template`."""
    fields = _described(template.fields, descriptions or {})
    if not fields:
        return Filled({}, "none", ("The template has no field to fill.",))
    if local or (local is None and not providers.has_chat):
        return _by_rules(fields, text, languages, asked_for=bool(local))
    system = prompts.system(template.system_prompt, languages.target)
    answer = providers.chat_json(system, prompts.user(text, context, fields, languages.source), model)
    values = {name: "" if answer.get(name) is None else answer[name] for name in fields}
    who = f"The fields of the template were filled by the model {model or providers.chat_model}."
    return Filled(values, "model", (who, *_empty(values)))


def _described(fields: Mapping[str, str], descriptions: Mapping[str, str]) -> dict[str, str]:
    both = {name: f"{fields[name]} {descriptions[name]}" for name in fields if name in descriptions}
    return {**descriptions, **fields, **both} if descriptions else dict(fields)


def _by_rules(fields: Mapping[str, str], text: str, languages: Languages, asked_for: bool) -> Filled:
    values = rules.extract(fields, text)
    why = "as asked" if asked_for else "since no chat model is configured (MISTRAL_API_KEY)"
    notes = [f"The fields of the template were filled by local rules, {why}."]
    if languages.source != languages.target:
        notes.append(f"Local rules do not translate: the fields are in the language of the text ({languages.source}).")
    return Filled(values, "rules", (*notes, *_empty(values)))


def _empty(values: Mapping[str, Any]) -> Sequence[str]:
    empty = [name for name, value in values.items() if value in ("", [], {})]
    return [f"Nothing was found in the text for: {', '.join(empty)}."] if empty else []
