"""Sends a request with one hostile value, byte by byte as a hostile client would."""

import asyncio
import json
import re
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote_from_bytes

import httpx

from tests.support.hostile.fields import BODY, PREFIXES, UUID, Field
from tests.support.hostile.values import Nested

STREAM_S = 0.2
BOUNDARY = b"B"


@dataclass(frozen=True)
class Shot:
    """A value for a field, and what follows the media type of the body."""

    field: Field
    drawn: Any
    charset: str = ""

    @property
    def value(self) -> Any:
        return self.drawn() if isinstance(self.drawn, Nested) else self.drawn

    def __str__(self) -> str:
        shown = ascii(self.drawn)
        cut = shown if len(shown) < 80 else f"{shown[:60]}… ({len(shown)})"
        return f"{self.field.method} {self.field.path} {self.field.media_type}{self.charset} {self.field.trail}: {cut}"


async def send(client: httpx.AsyncClient, shot: Shot) -> httpx.Response | None:
    """The answer; None for a stream that was opened."""
    field, raw = shot.field, as_bytes(shot.value)
    headers, url = {}, _path(field, raw)
    if field.place == "query":
        url += f"?{quote_from_bytes(field.name.encode())}={quote_from_bytes(raw, safe='')}"
    if field.place == "header":
        headers[field.name.encode()] = raw
    content = _content(shot, raw)
    if content is not None:
        boundary = "; boundary=B" if field.media_type.startswith("multipart") else ""
        headers[b"Content-Type"] = f"{field.media_type}{shot.charset}{boundary}".encode()
    request = client.request(field.method, url, headers=list(headers.items()), content=content)
    try:
        return await (asyncio.wait_for(request, STREAM_S) if field.streams else request)
    except TimeoutError:
        return None


def as_bytes(value: Any) -> bytes:
    text = value if isinstance(value, str) else json.dumps(value)
    return text.encode("utf-8", "surrogatepass")


def _path(field: Field, raw: bytes) -> str:
    def part(found: re.Match[str]) -> str:
        name = found[1]
        if field.place == "path" and name == field.name:
            return quote_from_bytes(raw, safe="") or "%20"
        return f"{PREFIXES.get(name, 'doc')}-{UUID}"

    return re.sub(r"\{(\w+)\}", part, field.path)


def _content(shot: Shot, raw: bytes) -> bytes | None:
    field = shot.field
    if not field.media_type:
        return None
    if field.place != "body":
        return _form(field, {}, b"") if field.media_type != BODY else json.dumps(field.body).encode()
    if field.media_type == BODY:
        return json.dumps(field.with_value(shot.value)).encode()
    return _form(field, {field.name: raw}, raw)


def _form(field: Field, given: dict[str, bytes], filename: bytes) -> bytes:
    texts = {name: as_bytes(value) for name, value in (field.body or {}).items() if name != "file"} | given
    if field.media_type != "multipart/form-data":
        return "&".join(f"{name}={quote_from_bytes(value, safe='')}" for name, value in texts.items()).encode()
    parts = [b'name="%s"\r\n\r\n%s' % (name.encode(), value) for name, value in texts.items()]
    if "file" in (field.body or {}):
        clean = re.sub(rb'[\r\n"]', b"_", filename)[:3000]
        parts.append(b'name="file"; filename="%s"\r\n\r\n%%PDF-1.7 content' % (clean or b"a.pdf"))
    lines = [b"--B\r\nContent-Disposition: form-data; " + part + b"\r\n" for part in parts]
    return b"".join([*lines, b"--B--\r\n"])
