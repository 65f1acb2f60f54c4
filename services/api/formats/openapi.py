"""The OpenAPI description of `/api/formats` (docs/contract/additions.md#formats)."""

from services.api.formats.views import formats
from services.api.openapi.grammar import data, operation

LIST_FORMATS = operation(
    "List the kinds of files that extraction jobs read, and those that they refuse",
    {200: data({name: entries[:1] for name, entries in formats().items()}, "The same for every key")},
)
