"""Equations (OMML, ISO/IEC 29500-1, 22.1) as linear text, such as `x=(-b±√(b^2-4ac))/(2a)`. Pure."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from services.worker.office.names import child, children, content, name_of, value

BAR: Final = "\u0305"
SUM: Final = "∫"
"""The operator of an n-ary element that names none (22.1.2.20)."""
HAT: Final = "\u0302"
"""The accent of an element that names none (22.1.2.20)."""
PARENTHESES: Final = ("(", ")")


def linear(element: Any) -> str:
    """Return an equation, or any element of one, as text. Unknown elements give the text inside them."""
    if name_of(element) == "m:t" or name_of(element) == "w:t":
        return element.text or ""
    form = FORMS.get(name_of(element))
    return form(element) if form else _inside(element)


def _inside(element: Any) -> str:
    return "".join(linear(inner) for inner in content(element))


def _part(element: Any, name: str) -> str:
    found = child(element, f"m:{name}")
    return "" if found is None else _inside(found)


def _group(text: str) -> str:
    """Return text in parentheses unless it is one name or number."""
    return text if len(text) <= 1 or text.isalnum() or _is_enclosed(text) else f"({text})"


def _is_enclosed(text: str) -> bool:
    depth = 0
    for place, character in enumerate(text):
        depth += (character == "(") - (character == ")")
        if depth == 0:
            return text[0] == "(" and place == len(text) - 1
    return False


def _fraction(element: Any) -> str:
    above, below = _part(element, "num"), _part(element, "den")
    if value(element, "m:fPr", "m:type") == "noBar":
        return f"({above}¦{below})"
    return f"{_group(above)}/{_group(below)}"


def _root(element: Any) -> str:
    degree = _part(element, "deg")
    return f"√({degree}&{_part(element, 'e')})" if degree else f"√{_group(_part(element, 'e'))}"


def _scripts(element: Any) -> str:
    return f"{_group(_part(element, 'e'))}{_below_above(element)}"


def _below_above(element: Any) -> str:
    below, above = _part(element, "sub"), _part(element, "sup")
    return (f"_{_group(below)}" if below else "") + (f"^{_group(above)}" if above else "")


def _scripts_before(element: Any) -> str:
    return f"{_below_above(element)} {_part(element, 'e')}"


def _operator(element: Any) -> str:
    return f"{_character(element, 'm:naryPr', 'm:chr', SUM)}{_below_above(element)} {_part(element, 'e')}"


def _delimited(element: Any) -> str:
    begin = _character(element, "m:dPr", "m:begChr", PARENTHESES[0])
    end = _character(element, "m:dPr", "m:endChr", PARENTHESES[1])
    between = _character(element, "m:dPr", "m:sepChr", "|")
    return f"{begin}{between.join(_inside(inner) for inner in children(element, 'm:e'))}{end}"


def _character(element: Any, properties: str, name: str, default: str) -> str:
    """Return a character that properties name; one that is there without a value is left out (22.1.2.20)."""
    if child(element, properties, name) is None:
        return default
    return value(element, properties, name) or ""


def _function(element: Any) -> str:
    return f"{_part(element, 'fName')} {_part(element, 'e')}"


def _accented(element: Any) -> str:
    return f"{_group(_part(element, 'e'))}{_character(element, 'm:accPr', 'm:chr', HAT)}"


def _barred(element: Any) -> str:
    return f"{_group(_part(element, 'e'))}{BAR}"


def _limit_below(element: Any) -> str:
    return f"{_part(element, 'e')}_{_group(_part(element, 'lim'))} "


def _limit_above(element: Any) -> str:
    return f"{_part(element, 'e')}^{_group(_part(element, 'lim'))} "


def _matrix(element: Any) -> str:
    rows = (", ".join(_inside(cell) for cell in children(row, "m:e")) for row in children(element, "m:mr"))
    return f"[{'; '.join(rows)}]"


def _equations(element: Any) -> str:
    return "; ".join(_inside(line) for line in children(element, "m:e"))


FORMS: Final[Mapping[str, Callable[[Any], str]]] = {
    "m:f": _fraction,
    "m:rad": _root,
    "m:sSup": _scripts,
    "m:sSub": _scripts,
    "m:sSubSup": _scripts,
    "m:sPre": _scripts_before,
    "m:nary": _operator,
    "m:d": _delimited,
    "m:func": _function,
    "m:acc": _accented,
    "m:bar": _barred,
    "m:limLow": _limit_below,
    "m:limUpp": _limit_above,
    "m:m": _matrix,
    "m:eqArr": _equations,
}
