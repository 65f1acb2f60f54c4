"""Values that several job types take: addresses, languages, names of templates. Shapes only."""

from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, StringConstraints


def _address(value: str) -> str:
    if " " in value or not value.isprintable():  # urlsplit would drop some of them without a word
        raise ValueError("must not contain spaces, line ends or control characters")
    parts = urlsplit(value)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.port == 0:  # .port raises ValueError
        raise ValueError("must be an http or https address, such as https://example.com/a")
    if parts.username is not None or parts.password is not None:
        raise ValueError("must not contain a user or password")
    return value


def _said(value: str) -> str:
    if not value.strip():
        raise ValueError("must not be blank")
    return value


Address = Annotated[str, StringConstraints(min_length=1, max_length=4096), AfterValidator(_address)]
Language = Annotated[str, StringConstraints(pattern=r"^[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*$", max_length=35)]
"""A code such as `de` or `de-AT` (BCP 47)."""
TemplateName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]+$", max_length=255)]
Name = Annotated[str, StringConstraints(min_length=1, max_length=500), AfterValidator(_said)]
