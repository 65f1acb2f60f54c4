"""Broken and hostile variants of small files: bytes and members of packages changed at random, by a seed."""

import io
import random
import zipfile
import zlib
from collections.abc import Callable

ODD: tuple[bytes, ...] = (
    b"",
    b"\x00" * 64,
    b"\xff" * 64,
    b"9" * 40,
    b"-1",
    b"<" * 200,
    b"(" * 2000,
    b"[" * 2000,
    b"<<" * 1000,
    b"&a;&a;",
    b"1 0 R ",
    b"\xed\xa0\x80",
    b"../../../../etc/passwd",
    b"file:///etc/passwd",
)
"""Pieces that are put in: nesting, numbers at the edges, references, paths out of the file."""
DOCTYPE = b'<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b SYSTEM "file:///etc/passwd">]>'


def mutated(content: bytes, chances: random.Random) -> bytes:
    """A variant of a file. A package is changed in its members, or as bytes."""
    if content.startswith(b"PK") and chances.random() < 0.8:
        return _repacked(content, chances)
    if content.startswith(b"%PDF") and chances.random() < 0.5:
        return _with_stream(content, chances)
    return _changed(content, chances)


def _changed(content: bytes, chances: random.Random) -> bytes:
    for _ in range(chances.randint(1, 6)):
        at, length = chances.randrange(len(content) + 1), chances.choice((1, 4, 30, 400))
        piece = content[at : at + length]
        put: Callable[[], bytes] = chances.choice(
            (
                lambda piece=piece: bytes(chances.randrange(256) for _ in piece),
                lambda: chances.choice(ODD),
                lambda piece=piece: piece * chances.choice((2, 50)),
                lambda: b"",
            )
        )
        content = content[:at] + put() + content[at + length :]
    return content if chances.random() < 0.9 else content[: chances.randrange(len(content) + 1)]


def _with_stream(content: bytes, chances: random.Random) -> bytes:
    """A PDF with one of its compressed streams changed in its text."""
    begins = [at + 7 for at in range(len(content)) if content.startswith(b"stream\n", at)]
    if not begins:
        return _changed(content, chances)
    begin = chances.choice(begins)
    end = content.find(b"endstream", begin)
    try:
        plain = zlib.decompress(content[begin:end].rstrip(b"\r\n"))
    except zlib.error:
        plain = content[begin:end]
    return content[:begin] + zlib.compress(_changed(plain, chances)) + b"\n" + content[end:]


def _repacked(content: bytes, chances: random.Random) -> bytes:
    """A package with a member changed, renamed, removed, doubled, or with entities."""
    with zipfile.ZipFile(io.BytesIO(content)) as package:
        members = [(name, package.read(name)) for name in package.namelist()]
    at = chances.randrange(len(members))
    name, text = members[at]
    match chances.randrange(6):
        case 0:
            members[at] = (name + chances.choice(("x", "/../../x", "\\..\\x")), text)
        case 1:
            del members[at]
        case 2:
            members.append((name, _changed(text, chances)))
        case 3:
            members[at] = (name, text.replace(b"?>", b"?>" + DOCTYPE, 1).replace(b"</", b"&a;&b;</"))
        case _:
            members[at] = (name, _changed(text, chances))
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as package:
        for name, text in members:
            package.writestr(zipfile.ZipInfo(name), text)
    return out.getvalue()
