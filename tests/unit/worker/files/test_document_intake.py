"""Files that change while they become the content of a document, with a store and with the broker of a sandbox."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from piperoll.store.blobs import Blobs
from services.worker.errors import ProcessingError
from services.worker.files.document_intake import store_content
from services.worker.files.sources import Source


class Brokered(Blobs):
    """A store that stores no document's content under a name that is not its hash."""

    def put_file(self, uri: str, source: Any, media_type: str | None = None) -> Any:
        raise PermissionError("the content of a document is not the one of its name")


@pytest.mark.parametrize("kind", [Blobs, Brokered])
def test_a_file_that_changes_while_it_is_read_is_named_as_such(tmp_path: Path, kind: type[Blobs]) -> None:
    path = tmp_path / "a.txt"
    path.write_text("first")
    workspace: Any = SimpleNamespace(blobs=kind((tmp_path / "blobs").as_uri()))
    with path.open("rb") as file:
        source = Source(name="a.txt", size=5, file=file)

        def change() -> None:
            path.write_text("other")

        with pytest.raises(ProcessingError) as raised:
            store_content("doc-1", source, "text/plain", workspace, change)
    assert raised.value.error_type == "FileChanged"
    assert list(workspace.blobs.list("documents")) == []
