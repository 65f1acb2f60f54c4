"""The template engine (docs/contract/secretary.md#templates): parses and renders templates. Pure.

Inserted values are not scanned for markers, so a value may contain `{{…}}`.
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, TypeGuard

JSON_KEYS = frozenset(
    {
        "affiliations",
        "attachments",
        "chapters",
        "confidence",
        "provenance",
        "slides",
        "speakers",
        "tags",
        "toc",
        "topics",
    }
)
"""Keys of the front matter with JSON values; all others are strings (docs/contract/secretary.md#templates)."""

TEXT = "text"  # `{{text}}` is the input

_MARKER = re.compile(r"\{\{([A-Za-z][A-Za-z0-9_]*)(?:\|([^}]+))?\}\}")
_OPENED = re.compile(r"\{\{[^{}|\n]*\|")
_PROMPT = re.compile(r"^---[ \t]*systemprompt[ \t]*$\n?", re.MULTILINE)
_FRONT = re.compile(r"\A---[ \t]*\n(.*?)^---[ \t]*$\n?", re.DOTALL | re.MULTILINE)
_KEY = re.compile(r"([A-Za-z_][\w-]*):[ \t]*(.*)")
_LINE_END = re.compile(r"[^\S\n]*(?:\n|\Z)")
_UNPRINTABLE = re.compile("[\x7f-\x9f\ufeff\ufffe\uffff\ud800-\udfff]")
_QUOTES = "\"'"


class TemplateReadError(ValueError):
    """A template does not exist or cannot be read. Its text is a sentence for the client."""


@dataclass(frozen=True, slots=True)
class Template:
    """A parsed template. `front` are the lines of its front matter; None when it has none.

    `fields` maps names to instructions, in the order of their first occurrence.
    """

    body: str
    front: tuple[str, ...] | None
    system_prompt: str
    fields: Mapping[str, str]


def parse(content: str) -> Template:
    """Parse a template. A text without markers is valid and is rendered unchanged.

    Raises TemplateReadError for front matter without an end and for a field not in the form
    `{{name|instruction}}`.
    """
    content = content.removeprefix("\ufeff").replace("\r\n", "\n")
    rest, *prompts = _PROMPT.split(content, maxsplit=1)
    _check(rest)
    matter = _FRONT.match(rest)
    front = tuple(matter[1].splitlines()) if matter else None
    fields: dict[str, str] = {}
    for name, instruction in _MARKER.findall(rest):
        if instruction:
            fields.setdefault(name, instruction.strip())
    return Template(
        body=rest[matter.end() :] if matter else rest,
        front=front,
        system_prompt="".join(prompts).strip(),
        fields=MappingProxyType(fields),
    )


def _check(text: str) -> None:
    if re.match(r"---[ \t]*\n", text) and not _FRONT.match(text):
        raise _broken("its front matter begins with a line --- but has no closing line ---")
    place = 0
    while opened := _OPENED.search(text, place):
        field = _MARKER.match(text, opened.start())
        if field is None:
            line = text.count("\n", 0, opened.start()) + 1
            raise _broken(f"the field in line {line} is not in the form {{{{name|instruction}}}}, without }} inside")
        place = field.end()


def _broken(why: str) -> TemplateReadError:
    return TemplateReadError(f"The template is invalid: {why}.")


def render(template: Template, values: Mapping[str, Any], context: Mapping[str, Any], text: str) -> str:
    """Render a template with `values` for its fields, `context` for its variables and `text` for `{{text}}`.

    A field without a value is empty; an unknown variable in the body stays as written.
    """
    filling = _Filling(values, {**values, **context, TEXT: text})
    body = _MARKER.sub(filling.in_body, template.body)
    if template.front is None:
        return body
    following = (*template.front, "")[1:]
    lines = [filling.front_line(line, after) for line, after in zip(template.front, following, strict=True)]
    return "\n".join(["---", *lines, "---", body])


@dataclass(frozen=True, slots=True)
class _Filling:
    """The values to insert: `values` for fields, `variables` for variables."""

    values: Mapping[str, Any]
    variables: Mapping[str, Any]

    def in_body(self, found: "re.Match[str]") -> str:
        """Return the replacement of a marker. A list alone on its line becomes a Markdown list."""
        name, instruction = found.groups()
        if not instruction:
            return _plain(self.variables[name]) if name in self.variables else found[0]
        value = self.values.get(name)
        if _is_list_of_words(value):
            return "\n".join(f"- {_plain(item)}" for item in value) if _is_alone(found) else _inline(value)
        return _plain(value)

    def front_line(self, line: str, after: str) -> str:
        """Return a line of the front matter, with its value inserted if it has a marker or no value."""
        entry = _KEY.fullmatch(line.rstrip())
        if entry is None:
            return self._inserted(line)
        key, given = entry.groups()
        if not given:
            return (
                line if after.startswith((" ", "\t", "-")) else f"{key}: {_front_value(key, self.variables.get(key))}"
            )
        given = given.strip(_QUOTES)
        if whole := _MARKER.fullmatch(given):
            return f"{key}: {_front_value(key, self._value(whole))}"
        if not _MARKER.search(_up_to_the_last_end(given)):
            return line
        return f"{key}: {_quoted(self._inserted(given))}"

    def _inserted(self, line: str) -> str:
        searched = _up_to_the_last_end(line)
        return _MARKER.sub(lambda found: _inline(self._value(found)), searched) + line[len(searched) :]

    def _value(self, found: "re.Match[str]") -> Any:
        name, instruction = found.groups()
        return self.values.get(name) if instruction else self.variables.get(name)


def _up_to_the_last_end(line: str) -> str:
    """Return what may contain markers of a line: after the last }} each {{ would be searched to the end."""
    return line[: line.rfind("}}") + 2] if "}}" in line else ""


def _is_alone(found: "re.Match[str]") -> bool:
    """Whether a marker is alone on its line."""
    text, begin = found.string, found.start()
    while begin and text[begin - 1] != "\n":
        if not text[begin - 1].isspace():
            return False
        begin -= 1
    return _LINE_END.match(text, found.end()) is not None


def _is_list_of_words(value: Any) -> TypeGuard[Sequence[Any]]:
    return isinstance(value, list | tuple) and not any(isinstance(item, dict | list | tuple) for item in value)


def _plain(value: Any) -> str:
    """Return a value as text: empty for None, JSON for lists and objects."""
    if value is None or isinstance(value, str):
        return value or ""
    return json.dumps(value, ensure_ascii=False)


def _inline(value: Any) -> str:
    """Return a value within a line: a list of words is joined by commas."""
    return ", ".join(_plain(item) for item in value) if _is_list_of_words(value) else _plain(value)


def _front_value(key: str, value: Any) -> str:
    if key in JSON_KEYS:
        return _front_json([] if value is None or value == "" else value)
    return _quoted(_inline(value))


def _quoted(text: str) -> str:
    """Return a double-quoted YAML string on one line."""
    return _front_json(" ".join(text.splitlines()).strip())


def _front_json(value: Any) -> str:
    """Return JSON that is also YAML: characters that YAML does not allow are escaped (YAML 1.2, 5.1)."""
    return _UNPRINTABLE.sub(lambda found: f"\\u{ord(found[0]):04x}", json.dumps(value, ensure_ascii=False))
