"""What a chat model is asked when it fills a template (contract 9). Pure."""

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
    """The system prompt: the template's own or the default one, with the form of the answer behind it."""
    return f"{(custom or DEFAULT).replace('{target_language}', target_language)}\n\n{FORM}"


def user(text: str, context: Mapping[str, Any], fields: Mapping[str, str], source_language: str) -> str:
    """The question: the text, its context, and what to put into each field, as JSON at the end."""
    parts = [f"Text (in the language {source_language}):\n{text}"]
    if context:
        parts.append(f"Context:\n{_json(context)}")
    return "\n\n".join([*parts, f"Fields, and what to put into each:\n{_json(fields)}"])


def _json(document: Mapping[str, Any]) -> str:
    return json.dumps(dict(document), ensure_ascii=False, indent=2)
