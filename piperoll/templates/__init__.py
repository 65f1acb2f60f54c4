"""Templates: found by `library`, parsed and rendered by `engine` (docs/contract/secretary.md#templates).

    name, content = load("MeetingMinutes", folder)
    template = parse(content)

The worker fills their fields (services.worker.templates); the API shows them (services.api.templates).
"""

from piperoll.templates.engine import Template, TemplateReadError, parse, render
from piperoll.templates.library import SHIPPED, ListedTemplate, available, listed, load

__all__ = [
    "SHIPPED",
    "ListedTemplate",
    "Template",
    "TemplateReadError",
    "available",
    "listed",
    "load",
    "parse",
    "render",
]
