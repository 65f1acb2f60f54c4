"""What a shape inherits from its slide's layout and master (ISO/IEC 29500-1, 19.3.1.36): place and bullets."""

from typing import Any, Final

from services.worker.office.drawing.text import ListStyles
from services.worker.office.names import child, children, descendants, number
from services.worker.office.package import DamagedPartError, Part

BOX = tuple[int, int]
"""Top and left, in EMU."""
TITLES: Final = frozenset({"title", "ctrTitle"})
FOOTERS: Final = frozenset({"ftr", "dt", "hdr", "sldNum"})
"""What stands around the content of a slide, or of its printed notes."""
BODY: Final = "body"
GENERAL: Final = frozenset({"obj", "subTitle", "", BODY})
"""Types that take their properties from the body of the master."""


def placeholder_of(shape: Any) -> Any:
    """Return the element that makes a shape a placeholder, None for another shape."""
    properties = shape[0] if len(shape) else None
    return child(properties, "p:nvPr", "p:ph")


def type_of(shape: Any) -> str:
    """Return a placeholder's type, `obj` without one; empty for a shape that is none."""
    placeholder = placeholder_of(shape)
    return "" if placeholder is None else placeholder.get("type", "obj")


class Inheritance:
    """The layout and the master of a slide."""

    def __init__(self, slide: Part, default_styles: Any) -> None:
        self.layout = _first(slide, "slideLayout")
        self.master = _first(self.layout, "slideMaster")
        self._default_styles = default_styles

    def box(self, shape: Any) -> BOX:
        """Return the place of a shape; (0, 0) where no place is set."""
        for element in (shape, *self._ancestors(shape)):
            for offset in (child(element, "p:spPr", "a:xfrm", "a:off"), child(element, "p:grpSpPr", "a:xfrm", "a:off"),
                           child(element, "p:xfrm", "a:off")):  # fmt: skip
                if offset is not None:
                    return number(offset.get("y")), number(offset.get("x"))
        return 0, 0

    def list_styles(self, shape: Any) -> ListStyles:
        """Return where the bullets of a shape's paragraphs may be set."""
        places = [child(element, "p:txBody", "a:lstStyle") for element in (shape, *self._ancestors(shape))]
        kind = type_of(shape)
        if kind in TITLES:
            return ListStyles()
        if kind in GENERAL and kind:
            places.append(child(_root(self.master), "p:txStyles", "p:bodyStyle"))
        else:
            places.append(child(_root(self.master), "p:txStyles", "p:otherStyle"))
            places.append(self._default_styles)
        return ListStyles(tuple(place for place in places if place is not None))

    def _ancestors(self, shape: Any) -> list[Any]:
        """Return the placeholders of layout and master that a shape belongs to."""
        placeholder = placeholder_of(shape)
        if placeholder is None:
            return []
        found = [
            _matching(self.layout, placeholder, by_index=True),
            _matching(self.master, placeholder, by_index=False),
        ]
        return [element for element in found if element is not None]


def _matching(part: Part | None, placeholder: Any, *, by_index: bool) -> Any:
    """Return a layout's placeholder of the same index, or a master's of the same type."""
    kind, index = placeholder.get("type", "obj"), placeholder.get("idx", "0")
    for shape in descendants(child(_root(part), "p:cSld", "p:spTree"), "p:sp"):
        other = placeholder_of(shape)
        if other is None:
            continue
        if by_index and other.get("idx", "0") == index:
            return shape
        if not by_index and _general(other.get("type", "obj")) == _general(kind):
            return shape
    return None


def _general(kind: str) -> str:
    if kind in TITLES:
        return "title"
    return BODY if kind in GENERAL else kind


def _first(part: Part | None, kind: str) -> Part | None:
    return next(iter(part.parts(kind)), None) if part is not None else None


def _root(part: Part | None) -> Any:
    try:
        return None if part is None else part.root
    except DamagedPartError:
        return None


def static_shapes(part: Part | None) -> list[Any]:
    """Return the shapes of a layout or master that each slide shows: those that are not placeholders."""
    tree = child(_root(part), "p:cSld", "p:spTree")
    return [shape for shape in children(tree, "p:sp", "p:grpSp", "p:graphicFrame") if placeholder_of(shape) is None]
