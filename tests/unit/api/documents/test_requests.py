"""Requests about documents and folders: ids, query strings and bodies."""

from typing import Any

import pytest
from starlette.datastructures import QueryParams

from services.api.documents.requests import (
    AddDocumentQuery,
    DocumentForm,
    DocumentPageQuery,
    document_id_of,
    folder_id_of,
)
from services.api.folders.requests import FilesBody, FolderChange, SearchQuery, file_ids_of
from services.api.http.errors import ApiError
from tests.support.rows import DOCUMENT_ID


@pytest.mark.parametrize(
    "text",
    [
        "",
        "doc",
        DOCUMENT_ID + "0",
        DOCUMENT_ID.upper(),
        f"{DOCUMENT_ID}\n",
        "folder" + DOCUMENT_ID[3:],
        f"../{DOCUMENT_ID}",
    ],
)
def test_a_malformed_document_id_is_not_found(text: str) -> None:
    with pytest.raises(ApiError) as found:
        document_id_of(text)
    assert found.value.status == 404
    assert document_id_of(DOCUMENT_ID) == DOCUMENT_ID


def test_a_malformed_folder_id_is_not_found() -> None:
    assert folder_id_of("folder" + DOCUMENT_ID[3:]) == "folder" + DOCUMENT_ID[3:]
    with pytest.raises(ApiError):
        folder_id_of(DOCUMENT_ID)


def test_repeated_ids_are_merged() -> None:
    assert file_ids_of(FilesBody.read({"filesIds": [DOCUMENT_ID, DOCUMENT_ID]})) == [DOCUMENT_ID]


@pytest.mark.parametrize(
    "body", [{"filesIds": []}, {"filesIds": [DOCUMENT_ID] * 5001}, {"filesIds": "x"}, {}, {"fileIds": [DOCUMENT_ID]}]
)
def test_files_that_are_not_a_list_of_ids_are_refused(body: dict[str, Any]) -> None:
    with pytest.raises(ApiError) as found:
        FilesBody.read(body)
    assert found.value.code == "INVALID_PARAMETERS"


def test_an_empty_change_is_accepted() -> None:
    assert FolderChange.read({}) == FolderChange()


def test_query_strings_and_forms_are_parsed() -> None:
    assert SearchQuery.of(QueryParams("q=%20heat%20")).q == "heat"
    assert SearchQuery.of(QueryParams("q=heat&limit=100")).limit == 100
    pages = [DocumentPageQuery.of(QueryParams(query)) for query in ("", "limit=5&offset=10")]
    assert [(page.limit, page.offset) for page in pages] == [(1000, 0), (5, 10)]
    waits = [AddDocumentQuery.of(QueryParams(query)).wait for query in ("", "wait=0", "wait=2.5")]
    assert waits == [None, 0.0, 2.5]
    assert DocumentForm.read({"file": None}).folder_id == ""
    assert DocumentForm.read({"file": None, "folderId": ""}).folder_id == ""


@pytest.mark.parametrize("text", ["wait=-1", "wait=301", "wait=a", "wait=", "wait=٣", "limit=1"])
def test_an_invalid_wait_is_refused(text: str) -> None:
    with pytest.raises(ApiError) as found:
        AddDocumentQuery.of(QueryParams(text))
    assert found.value.status == 400
