"""Names of elements with their usual prefix, such as `w:p`. Pure."""

from collections.abc import Iterator
from functools import cache
from typing import Any, Final

_OPEN: Final = "http://schemas.openxmlformats.org"
_MICROSOFT: Final = "http://schemas.microsoft.com/office"
NAMESPACES: Final = {
    "w": f"{_OPEN}/wordprocessingml/2006/main",
    "s": f"{_OPEN}/spreadsheetml/2006/main",
    "p": f"{_OPEN}/presentationml/2006/main",
    "a": f"{_OPEN}/drawingml/2006/main",
    "c": f"{_OPEN}/drawingml/2006/chart",
    "cdr": f"{_OPEN}/drawingml/2006/chartDrawing",
    "dgm": f"{_OPEN}/drawingml/2006/diagram",
    "pic": f"{_OPEN}/drawingml/2006/picture",
    "xdr": f"{_OPEN}/drawingml/2006/spreadsheetDrawing",
    "wp": f"{_OPEN}/drawingml/2006/wordprocessingDrawing",
    "r": f"{_OPEN}/officeDocument/2006/relationships",
    "m": f"{_OPEN}/officeDocument/2006/math",
    "mc": f"{_OPEN}/markup-compatibility/2006",
    "rel": f"{_OPEN}/package/2006/relationships",
    "ct": f"{_OPEN}/package/2006/content-types",
    "dc": "http://purl.org/dc/elements/1.1/",
    "v": "urn:schemas-microsoft-com:vml",
    "o": "urn:schemas-microsoft-com:office:office",
    "x": "urn:schemas-microsoft-com:office:excel",
    "wps": f"{_MICROSOFT}/word/2010/wordprocessingShape",
    "w14": f"{_MICROSOFT}/word/2010/wordml",
    "a14": f"{_MICROSOFT}/drawing/2010/main",
    "cx": f"{_MICROSOFT}/drawing/2014/chartex",
    "dsp": f"{_MICROSOFT}/drawing/2008/diagram",
    "p188": f"{_MICROSOFT}/powerpoint/2018/8/main",
    "tc": f"{_MICROSOFT}/spreadsheetml/2018/threadedcomments",
}
_PREFIXES: Final = {namespace: prefix for prefix, namespace in NAMESPACES.items()}


@cache
def full(name: str) -> str:
    """Return `w:p` as lxml writes it: the namespace in braces before the local name."""
    prefix, _, local = name.rpartition(":")
    return f"{{{NAMESPACES[prefix]}}}{local}" if prefix else local


class _ShortNames(dict[str, str]):
    """Short names by full ones. Names of a foreign namespace keep it, and are not stored: a file may invent many."""

    def __missing__(self, tag: str) -> str:
        namespace, _, local = tag[1:].rpartition("}")
        if namespace not in _PREFIXES:
            return tag
        short = f"{_PREFIXES[namespace]}:{local}"
        if len(self) < 10_000:
            self[tag] = short
        return short


_SHORT: Final = _ShortNames()


def name_of(element: Any) -> str:
    """Return an element's name such as `w:p`; empty for an entity."""
    tag = element.tag
    return _SHORT[tag] if isinstance(tag, str) else ""


def child(element: Any, *path: str) -> Any:
    """Return the first element at a path of names below an element, None without one."""
    found = element
    for name in path:
        if found is None:
            return None
        found = found.find(full(name))
    return found


def children(element: Any, *names: str) -> Iterator[Any]:
    """Yield the children of an element that have one of the names."""
    if element is not None:
        yield from element.iterchildren(*(full(name) for name in names))


def descendants(element: Any, *names: str) -> Iterator[Any]:
    """Yield the elements below an element, itself included, that have one of the names, in document order."""
    if element is not None:
        yield from element.iter(*(full(name) for name in names))


def value(element: Any, *path: str, attribute: str = "val") -> str | None:
    """Return an attribute of the element at a path, with or without the prefix of that element's name."""
    found = child(element, *path)
    if found is None:
        return None
    namespace, _, _ = found.tag.rpartition("}")
    prefixed: str | None = found.get(f"{namespace}}}{attribute}") if namespace else None
    plain: str | None = found.get(attribute)
    return plain if prefixed is None else prefixed


def number(text: str | None, default: int = 0) -> int:
    """Return a whole number that an attribute should be."""
    try:
        return int(float(text)) if text else default
    except (ValueError, OverflowError):
        return default


def is_on(element: Any, *path: str) -> bool:
    """Whether a property that is on or off is there and on (ST_OnOff)."""
    return child(element, *path) is not None and value(element, *path) not in ("0", "false", "off", "none")


def chosen(alternatives: Any) -> Any:
    """Return the one branch of mc:AlternateContent that is read: the first choice with any text, else the fallback."""
    branches = [branch for branch in alternatives if name_of(branch) in ("mc:Choice", "mc:Fallback")]
    return next((branch for branch in branches if _has_content(branch)), branches[0] if branches else None)


def _has_content(branch: Any) -> bool:
    """Whether a branch has words, or points to a part that may have them."""
    relation = NAMESPACES["r"]
    return any(
        (name_of(element) in TEXTS and (element.text or "").strip())
        or (name_of(element) in POINTERS and any(str(key).startswith(f"{{{relation}}}") for key in element.attrib))
        for element in branch.iter()
    )


TEXTS: Final = frozenset({"w:t", "a:t", "m:t"})
POINTERS: Final = frozenset({"c:chart", "cx:chart", "dgm:relIds"})


def content(element: Any) -> Iterator[Any]:
    """Yield an element's children; of mc:AlternateContent those of the branch that is read."""
    for inner in element:
        name = name_of(inner)
        if name == "mc:AlternateContent":
            branch = chosen(inner)
            if branch is not None:
                yield from content(branch)
        elif name:
            yield inner
