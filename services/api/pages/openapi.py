"""The OpenAPI descriptions of `/api/jobs/{job_id}/pages` (docs/contract/additions.md#pages)."""

from typing import Final

from services.api.openapi.grammar import BYTES, content, data, header, operation, query_of
from services.api.outputs.responses import NOT_YET
from services.api.pages.requests import PagesQuery, PassageQuery, PictureQuery

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
FIND_PASSAGE = operation(
    "Find the page of a passage, and its place on the page",
    {
        200: data(
            {"page": 3, "picture": True, "boxes": [[0.12, 0.31, 0.88, 0.33]]},
            "`page` is null for a text that is in no page; a box is left, top, right and bottom in parts of the page",
        )
    },
    (400, 404),
    parameters=query_of(PassageQuery),
)
GET_PICTURE = operation(
    "Get the picture of a page",
    {
        200: content("image/jpeg", None, "The picture", BYTES),
        202: content("application/json", NOT_YET, "The page is not drawn yet"),
        304: {"description": "The picture that the client has (If-None-Match)"},
    },
    (400, 404),
    parameters=(*query_of(PictureQuery), header("If-None-Match", "The ETag of the picture that the client has")),
)
