"""Names of elements and attributes of OpenDocument (ODF 1.3, part 3) with the usual prefixes. Pure."""

from collections.abc import Iterator
from typing import Any, Final

PREFIXES: Final = {
    "urn:oasis:names:tc:opendocument:xmlns:office:1.0": "office",
    "urn:oasis:names:tc:opendocument:xmlns:text:1.0": "text",
    "urn:oasis:names:tc:opendocument:xmlns:table:1.0": "table",
    "urn:oasis:names:tc:opendocument:xmlns:drawing:1.0": "draw",
    "urn:oasis:names:tc:opendocument:xmlns:presentation:1.0": "presentation",
    "urn:oasis:names:tc:opendocument:xmlns:style:1.0": "style",
    "urn:oasis:names:tc:opendocument:xmlns:chart:1.0": "chart",
    "urn:oasis:names:tc:opendocument:xmlns:svg-compatible:1.0": "svg",
    "urn:oasis:names:tc:opendocument:xmlns:xsl-fo-compatible:1.0": "fo",
    "urn:oasis:names:tc:opendocument:xmlns:meta:1.0": "meta",
    "urn:oasis:names:tc:opendocument:xmlns:form:1.0": "form",
    "http://purl.org/dc/elements/1.1/": "dc",
    "http://www.w3.org/1999/xlink": "xlink",
    "http://www.w3.org/1998/Math/MathML": "math",
}
SPACES: Final = {prefix: space for space, prefix in PREFIXES.items()}


def name_of(element: Any) -> str:
    """Return an element's name with its usual prefix, such as `text:p`; a foreign one without a prefix."""
    space, _, local = str(element.tag).removeprefix("{").rpartition("}")
    prefix = PREFIXES.get(space)
    return f"{prefix}:{local}" if prefix else local


def full(name: str) -> str:
    """Return a name as lxml writes it."""
    prefix, _, local = name.partition(":")
    return f"{{{SPACES[prefix]}}}{local}"


def attribute(element: Any, name: str) -> str:
    """Return an attribute such as `text:style-name`, empty without it."""
    return str(element.get(full(name), ""))


def number(element: Any, name: str, default: int = 1) -> int:
    """Return an attribute that is a whole number; the default for another one and below 1."""
    text = attribute(element, name)
    return max(int(text), 1) if text.isascii() and text.isdigit() and len(text) < 10 else default


def below(element: Any, *names: str) -> Iterator[Any]:
    """Yield all elements of these names below one."""
    found: Iterator[Any] = element.iter(*(full(name) for name in names))
    return found
