"""The declaration of formats (schemas/formats.py) as clients read it. Pure."""

from typing import Any

from schemas.formats import FORMATS, REFUSED, Format, Gives, Refused


def formats() -> dict[str, Any]:
    """Return what is read, and what is refused and why."""
    return {"read": [_read(one) for one in FORMATS], "refused": [_refused(one) for one in REFUSED]}


def _read(one: Format) -> dict[str, Any]:
    return {
        "kind": one.kind.value,
        "name": one.name,
        "endings": list(one.endings),
        "media_types": list(dict.fromkeys((*one.endings.values(), *sorted(one.also)))),
        "page_unit": one.unit,
        **{gives.value: gives in one.gives for gives in Gives},
        "limits": list(one.limits),
    }


def _refused(one: Refused) -> dict[str, Any]:
    return {
        "name": one.name,
        "endings": list(one.endings),
        "media_types": sorted(one.media_types),
        "advice": one.advice or None,
    }
