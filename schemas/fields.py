"""Types of the texts that callers send: labels, names, texts, files, addresses. Each is declared here alone.

A text is normalised once, when its request is validated; the normalised text is what is judged, stored and used. Texts
that are names of something have no control characters. Long texts may have what documents contain; the readers of
bodies refuse NUL and lone surrogates in all of them (services.api.http).
"""

import re
from typing import Annotated, Any, Final
from urllib.parse import SplitResult, unquote, urlsplit

import idna
from pydantic import AfterValidator, Field, StringConstraints
from pydantic.fields import FieldInfo

from schemas.documents import Named

ONE_LINE: Final = r"^[^\x00-\x1f\x7f-\x9f]*$"
"""The pattern of a text without control characters (Unicode's category Cc)."""
NO_NUL: Final = r"^[^\x00]*$"
MAX_HOST_BYTES: Final = 253  # RFC 1035 2.3.4, as text and without the root's dot
MAX_HOOK_URL_BYTES: Final = 2048
MAX_SOURCE_URL_BYTES: Final = 4096
MAX_LABEL_CHARS: Final = 255
UPLOAD_SCHEME: Final = "upload://"

_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
_SPACES: Final = re.compile(r"[\t\n\v\f\r]+")
_UPLOAD: Final = re.compile(r"upload://file-[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/(?!\.{1,2}$)[^/]+")
_NAME: Final = re.compile(r"[a-z0-9_-]{1,63}(\.[a-z0-9_-]{1,63})*\.?")
_IPV6: Final = re.compile(r"[0-9a-f:.]+(%[a-z0-9._~-]+)?")
_BLANK_OR_BACKSLASH: Final = re.compile(r"[\s\\]")


def one_line(value: str) -> str:
    """Return the text. Raises ValueError if it has a control character or a lone surrogate."""
    if _CONTROL.search(value):
        raise ValueError("must not contain line ends or other control characters")
    return value


def is_label(value: str) -> bool:
    """Return whether a text in a path can be a `Label`."""
    return 1 <= len(value) <= MAX_LABEL_CHARS and not _CONTROL.search(value)


def title(value: str) -> str:
    """Return a text with its line ends and tabs as blanks. Raises ValueError for other control characters."""
    return one_line(_SPACES.sub(" ", value))


def has_controls(value: str) -> bool:
    """Return whether a text has control characters, so that its type has normalised it."""
    return _CONTROL.search(value) is not None


def file_reference(value: str) -> str:
    """Return a file's path, or the name of an upload, with `/` for `\\`. Raises ValueError for control characters."""
    return one_line(value).replace("\\", "/")


def is_upload(value: str) -> bool:
    """Return whether a `FileName` is the name that an upload was given: its whole id and a file's name."""
    return _UPLOAD.fullmatch(value) is not None


def web_address(value: str, most_bytes: int = MAX_SOURCE_URL_BYTES, example: str = "https://example.com/a") -> str:
    """Return an http or https URL whose host is ASCII: as it was sent, unless its host has escapes or is not ASCII.

    A name is encoded by IDNA 2008 with the mapping of UTS 46, as browsers do. Raises ValueError.
    """
    if _BLANK_OR_BACKSLASH.search(value) or not value.isprintable():  # urlsplit drops some of them without an error
        raise ValueError("must not contain blanks, backslashes, line ends or control characters")
    try:
        parts = urlsplit(value)
        host = parts.hostname if parts.scheme in ("http", "https") and parts.port != 0 else None
    except ValueError:  # of malformed brackets and ports
        host = None
    if host is None:
        raise ValueError(f"must be an http or https address, such as {example}")
    if "@" in parts.netloc:
        raise ValueError("must not contain a user or password")
    url = value if _is_plain(parts.netloc, host) else _with_ascii_host(value, parts, host)
    if len(url) > most_bytes or len(url.encode()) > most_bytes:
        raise ValueError(f"must not have more than {most_bytes:,} bytes")
    return url


def hook_address(value: str) -> str:
    """Return the URL of a webhook's receiver, as `web_address` does. Raises ValueError."""
    try:
        return web_address(value, MAX_HOOK_URL_BYTES, "https://example.com/hook")
    except ValueError as error:
        raise ValueError(f"a webhook's url {error}") from error


def _is_plain(netloc: str, host: str) -> bool:
    """Return whether a host needs no normalisation. Raises ValueError for a malformed IPv6 address."""
    if "[" in netloc:
        if not _IPV6.fullmatch(host):
            raise ValueError("must have a host name or an IP address")
        return True
    return len(host.removesuffix(".")) <= MAX_HOST_BYTES and _NAME.fullmatch(host) is not None


def _with_ascii_host(url: str, parts: SplitResult, named: str) -> str:
    host = unquote(named)
    if not host.isascii() and len(host) <= MAX_HOST_BYTES:
        try:
            host = idna.encode(host, uts46=True).decode().lower()
        except idna.IDNAError as error:
            raise ValueError("must have a host that is a valid international domain name (IDNA 2008)") from error
    if not _is_plain("", host):
        raise ValueError(
            f"must have a host of letters, digits, hyphens and dots: labels of 1 to 63 bytes, "
            f"{MAX_HOST_BYTES} bytes in all"
        )
    begin = url.index("//") + 2
    port = "" if parts.port is None else f":{parts.port}"
    return f"{url[:begin]}{host}{port}{url[begin + len(parts.netloc) :]}"


def _not_blank(value: str) -> str:
    if not value.strip():
        raise ValueError("must not be blank")
    return value


def _written_name(value: str) -> str:
    if value.startswith(UPLOAD_SCHEME):
        raise ValueError("must be the name of the file that the job writes, not that of an upload")
    return value


def matching(pattern: str) -> Any:
    """Return the part of a type that shows a pattern in its JSON schema; a validator words the refusal."""
    field: FieldInfo = Field(json_schema_extra={"pattern": pattern})
    return field


_ONE_LINE: Final = matching(ONE_LINE)
NotBlank: Final = AfterValidator(_not_blank)
"""For a text that must not be blank."""
OneLine: Final = AfterValidator(one_line)
"""For a text without control characters."""

Label = Annotated[str, StringConstraints(min_length=1, max_length=MAX_LABEL_CHARS), OneLine, _ONE_LINE]
"""A caller's own id, user or name of something; also a token, which is sent as a header."""
Name = Annotated[Named, OneLine, NotBlank, _ONE_LINE]
Title = Annotated[Named, AfterValidator(title), NotBlank]
"""A title that may have been copied from a page with its line ends."""
WrittenName = Annotated[Title, AfterValidator(_written_name)]
"""The name of a file that a job writes."""
Text = Annotated[str, StringConstraints(min_length=1, max_length=4096), OneLine, _ONE_LINE]
FileName = Annotated[str, StringConstraints(min_length=1, max_length=4096), AfterValidator(file_reference), _ONE_LINE]
"""A file that a job reads: a path on the worker's machine, or an upload."""
Address = Annotated[str, StringConstraints(min_length=1, max_length=MAX_SOURCE_URL_BYTES), AfterValidator(web_address)]
HookAddress = Annotated[str, StringConstraints(min_length=1, max_length=MAX_HOOK_URL_BYTES)]
"""The URL of a webhook's receiver; the model that has one normalises it by `hook_address`."""
