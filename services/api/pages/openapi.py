"""The OpenAPI description of `/api/jobs/{job_id}/pages` (docs/contract/additions.md#pages)."""

from typing import Final

from services.api.openapi.grammar import data, operation, query_of
from services.api.pages.requests import PagesQuery

_PAGES: Final = {
    "pages": [{"page": 1, "text": "Dear Sir or Madam", "method": "ocr", "score": 0.97}],
    "next_after": 1,
    "complete": False,
    "pages_total": 12,
    "run": "5f0c9a526d1e4b8a9c578e2b1a7d4f60",
}

GET_PAGES = operation(
    "Get the finished pages of a job",
    {200: data(_PAGES, "The pages in their order; `complete` once no page follows")},
    (400, 404),
    parameters=query_of(PagesQuery),
)
