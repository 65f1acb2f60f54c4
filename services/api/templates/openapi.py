"""The OpenAPI description of `/api/templates` (docs/contract/additions.md#templates)."""

from services.api.openapi.grammar import data, operation

_EXAMPLE = {
    "templates": [
        {
            "name": "MeetingMinutes",
            "origin": "shipped",
            "content": "# {{title|What the meeting was about.}}\n",
            "fields": [{"name": "title", "instruction": "What the meeting was about."}],
            "problem": None,
        }
    ]
}

LIST_TEMPLATES = operation(
    "List the templates that jobs may name",
    {200: data(_EXAMPLE, "By name; `problem` is a sentence for one that cannot be used")},
)
