"""Templates: loaded by `library`, parsed and rendered by `engine`, filled by `filling`.
See docs/contract/secretary.md#templates.

template = parse(load("MeetingMinutes", limits.templates_dir)[1])
transformed = apply_template(template, text, context, Languages("de", "en"), workspace.providers)
"""

from services.worker.templates.engine import Template, parse, render
from services.worker.templates.filling import FilledFields, Languages, TransformedText, apply_template, fill
from services.worker.templates.library import available, load

__all__ = [
    "FilledFields",
    "Languages",
    "Template",
    "TransformedText",
    "apply_template",
    "available",
    "fill",
    "load",
    "parse",
    "render",
]
