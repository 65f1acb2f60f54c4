"""`/` and `/page/…`: the page, without a key. It asks the API for everything else, by a session."""

from collections.abc import Mapping

from starlette.requests import Request
from starlette.responses import Response

from services.api.http.answers import has_tag
from services.api.http.errors import not_found
from services.api.http.routing import Routes, route
from services.api.page.files import INDEX, PageFile, without_version

OF_CONTENT = frozenset({"Content-Type", "Content-Encoding"})


class PageRoutes(Routes, tag="page"):
    """`/` and `/page/{path}`."""

    page_files: Mapping[str, PageFile]

    @route("GET", "/")
    @route("HEAD", "/")
    async def index(self, request: Request) -> Response:
        """Return the page."""
        return self._answer(request, INDEX)

    @route("GET", "/page/{path:path}")
    @route("HEAD", "/page/{path:path}")
    async def file(self, request: Request, path: str) -> Response:
        """Return a file of the page."""
        return self._answer(request, path)

    def _answer(self, request: Request, name: str) -> Response:
        """Return a file, or a 304 for one that the client has. Raises ApiError NOT_FOUND (404).

        While a release is rolled out, a page may ask for a version that another process has: it gets the file of this
        one, and asks for it again.
        """
        found = self.page_files.get(name) or self.page_files.get(without_version(name))
        if found is None:
            raise not_found("file")
        variant = found.variant(request.headers.get("accept-encoding", ""))
        if has_tag(request.headers.get("if-none-match", ""), variant.tag):
            kept = {name: value for name, value in variant.headers.items() if name not in OF_CONTENT}
            return Response(status_code=304, headers=kept)
        return Response(variant.content, headers=dict(variant.headers))  # of a HEAD the server sends the head alone
