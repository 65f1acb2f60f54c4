"""`/api/templates`: the templates that jobs may name, with their texts and fields."""

import asyncio
from pathlib import Path
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from piperoll.templates import ListedTemplate, listed
from services.api.http.answers import success
from services.api.http.routing import Routes, route
from services.api.templates import openapi


class TemplateRoutes(Routes, tag="templates"):
    """`/api/templates`. `folder` has the operator's templates, which are the same for all owners."""

    folder: Path | None

    @route("GET", "/api/templates", "/api/templates/", operation=openapi.LIST_TEMPLATES)
    async def list_templates(self, request: Request) -> Response:
        """Return the shipped templates and the operator's, as they are now."""
        found = await asyncio.to_thread(lambda: [_view(one) for one in listed(self.folder)])
        return success({"templates": found})


def _view(one: ListedTemplate) -> dict[str, Any]:
    return {
        "name": one.name,
        "origin": "operator" if one.own else "shipped",
        "content": one.content,
        "fields": [{"name": name, "instruction": instruction} for name, instruction in one.fields.items()],
        "problem": one.problem,
    }
