"""The prompts for filling a template by a chat model (docs/contract/secretary.md#templates). Pure."""

import json
from collections.abc import Mapping
from typing import Any

DEFAULT = (
    "You fill in the fields of a document from a text. Take every statement from the text and its context; add nothing "
    "that they do not say. Write in the language {target_language}, plainly and completely."
)
FORM = (
    "Answer with a single valid JSON object and nothing else. Its keys are exactly the names of the fields; what an "
    "instruction asks for as a list is a JSON array. A field that the text says nothing about gets an empty string."
)


def system(custom: str, target_language: str) -> str:
    """Return the system prompt: the template's or the default one, followed by the form of the answer."""
    return f"{(custom or DEFAULT).replace('{target_language}', target_language)}\n\n{FORM}"


def user(text: str, context: Mapping[str, Any], fields: Mapping[str, str], source_language: str) -> str:
    """Return the user prompt: the text, its context, and the instructions of the fields as JSON."""
    parts = [f"Text (in the language {source_language}):\n{text}"]
    if context:
        parts.append(f"Context:\n{_json(context)}")
    return "\n\n".join([*parts, f"Fields, and what to put into each:\n{_json(fields)}"])


def _json(values: Mapping[str, Any]) -> str:
    return json.dumps(dict(values), ensure_ascii=False, indent=2)
