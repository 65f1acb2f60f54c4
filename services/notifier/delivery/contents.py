"""Common to the bodies of hooks and notices. Pure."""

from typing import Any

from pydantic_core import from_json

from schemas.errors import SENTENCES, ErrorCode


class UnreadableContentError(ValueError):
    """A result or error details that are not the expected JSON object."""


def sentence_of(code: str) -> str:
    """The message of an error code; the code of a later release is its own message."""
    return SENTENCES.get(ErrorCode(code), code) if code in ErrorCode.__members__ else code


def read_object(stored: bytes) -> dict[str, Any]:
    """The JSON object in stored content. Raises UnreadableContentError."""
    try:
        content = from_json(stored)
    except ValueError as error:
        raise UnreadableContentError(f"no JSON: {error}") from error
    if not isinstance(content, dict):
        raise UnreadableContentError(f"not a JSON object but {type(content).__name__}")
    return content
