"""Texts of foreign records for a terminal."""


def plain(text: str) -> str:
    """Text of a foreign record for a terminal, which it must not be able to command."""
    return "".join(one if one.isprintable() else f"\\u{ord(one):04x}" for one in text)


def readable(value: bytes | None, limit: int) -> str:
    """The beginning of a value for a terminal."""
    if value is None:
        return "-"
    text = plain(value[:limit].decode(errors="replace"))
    return text if len(value) <= limit else f"{text} … ({len(value):,} bytes)"
