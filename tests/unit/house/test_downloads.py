"""Content of callers leaves the API in two ways: as JSON, and as a download that no browser runs as a page."""

import ast

from tests.support.source import FILES, imports, module_of, parsed

STREAMS = {
    "services.api.outputs.responses": "downloads, all with SAFE",
    "services.api.jobs.routes": "server-sent events",
    "services.api.owner_stream.routes": "server-sent events",
}
"""The modules that send bodies in pieces."""
OTHERS = {"FileResponse", "RedirectResponse", "PlainTextResponse"}


def making(name: str) -> set[str]:
    """The modules of the API that call a class of Starlette."""
    return {
        module_of(file)
        for file in FILES
        if module_of(file).startswith("services.api")
        for node in ast.walk(parsed(file))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == name
    }


def test_bodies_in_pieces_are_downloads_and_events() -> None:
    assert making("StreamingResponse") == STREAMS.keys()


def test_pages_are_what_the_product_wrote() -> None:
    assert making("HTMLResponse") == {"services.api.openapi.routes"}


def test_no_other_kind_of_response_is_used() -> None:
    used = {name.rpartition(".")[2] for file in FILES for name in imports(file) if ".responses." in name}
    assert not used & OTHERS


def test_every_download_is_an_attachment_in_a_sandbox() -> None:
    (file,) = (file for file in FILES if module_of(file) == "services.api.outputs.responses")
    for node in ast.walk(parsed(file)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and "StreamingResponse" in ast.unparse(node.body):
            assert "SAFE" in ast.unparse(node.body), node.name
            assert "_disposition(" in ast.unparse(node.body), node.name
