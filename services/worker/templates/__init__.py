"""Templates in a run: loaded by `loading`, filled by `filling`. See docs/contract/secretary.md#templates.

template = parse(load("MeetingMinutes", limits.templates_dir)[1])
transformed = apply_template(template, text, context, Languages("de", "en"), workspace.providers)
"""

from piperoll.templates import Template, render
from services.worker.templates.filling import FilledFields, Languages, TransformedText, apply_template, fill
from services.worker.templates.loading import load, parse

__all__ = [
    "FilledFields",
    "Languages",
    "Template",
    "TransformedText",
    "apply_template",
    "fill",
    "load",
    "parse",
    "render",
]
