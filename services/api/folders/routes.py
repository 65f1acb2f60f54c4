"""`/v1/folders`: keep documents together, index their texts, and search in them (contract 15b and 15d)."""

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from piperoll.job_types import job_types
from schemas.documents import FolderDetails, ResolvedFolder
from schemas.ids import draw_folder_id
from schemas.job_types.declaration import Makes
from services.api.documents.jobs import begin, begin_again, erase_jobs, running
from services.api.documents.requests import (
    FilesBody,
    FolderBody,
    FolderChange,
    asked_page,
    asked_search,
    document_id_of,
    file_ids_of,
    folder_id_of,
    parsed,
)
from services.api.documents.views import file_view, folder_view, hit_view
from services.api.folders import openapi as openapi_folders
from services.api.http.answers import devana_success
from services.api.http.bodies import read_json
from services.api.http.caller import caller_of, header_user
from services.api.http.errors import not_found
from services.api.http.plain_route import PlainRoute
from services.api.parts import parts_of
from services.api.read_model.document_rows import FolderRow

router = APIRouter(tags=["folders"], route_class=PlainRoute)


@router.get("/v1/folders", **openapi_folders.LIST_FOLDERS)
@router.get("/v1/folders/", include_in_schema=False)
async def list_folders(request: Request) -> Response:
    """The owner's folders, newest first, each wrapped as its clients know it."""
    limit, offset = asked_page(request.query_params)
    rows = await parts_of(request).library.folders(caller_of(request).owner, limit, offset)
    return devana_success([{"status": "fulfilled", "value": folder_view(row)} for row in rows])


@router.post("/v1/folders", **openapi_folders.CREATE_FOLDER)
@router.post("/v1/folders/", include_in_schema=False)
async def create_folder(request: Request) -> Response:
    """Makes a folder."""
    parts, caller, user = parts_of(request), caller_of(request), header_user(request)
    body = parsed(FolderBody, (await read_json(request, parts.max_body_bytes)).value)
    details = FolderDetails(name=body.name, description=body.description)
    folder_id = draw_folder_id()
    now, position = await parts.documents.create_folder(folder_id, details, body.chunk_size, caller, user)
    await parts.library.passed(position)
    row = FolderRow(folder_id, caller.owner, body.name, body.description, body.chunk_size, False, now, now, 0)
    return devana_success(folder_view(row))


@router.get("/v1/folders/{folder_id}", **openapi_folders.GET_FOLDER)
async def get_folder(request: Request, folder_id: str) -> Response:
    """A folder."""
    return devana_success(folder_view(await _own_folder(request, folder_id)))


@router.put("/v1/folders/{folder_id}", **openapi_folders.CHANGE_FOLDER)
async def change_folder(request: Request, folder_id: str) -> Response:
    """Changes a folder; another chunk size has it indexed anew. 202 when the change was not read back in time."""
    parts, caller = parts_of(request), caller_of(request)
    given = (await read_json(request, parts.max_body_bytes)).value
    body = parsed(FolderChange, given)
    row = await _own_folder(request, folder_id)
    description = body.description if "description" in given else row.description
    changed = FolderDetails(name=body.name or row.name or folder_id, description=description)
    details = changed if (changed.name, changed.description) != (row.name, row.description) else None
    chunk_size = body.chunk_size if body.chunk_size != row.chunk_size else None
    if details is None and chunk_size is None:
        return devana_success(folder_view(row))
    _, position = await parts.documents.change_folder(folder_id, details, chunk_size, caller)
    if chunk_size is not None:
        await _index(request, row)
    passed = await parts.library.passed(position)
    return devana_success(folder_view(await _own_folder(request, folder_id)), 200 if passed else 202)


@router.delete("/v1/folders/{folder_id}", **openapi_folders.DELETE_FOLDER)
async def delete_folder(request: Request, folder_id: str) -> Response:
    """Removes a folder and its index; its documents stay. 202 when that was not read back in time."""
    parts, caller = parts_of(request), caller_of(request)
    await _own_folder(request, folder_id)
    position = await parts.documents.remove_folder(folder_id, caller)
    erasures = await erase_jobs(request, folder_id, job_types().that_make(Makes.INDEX))
    await parts.documents.delete_details(folder_id)
    passed = await parts.library.passed(position) and await parts.reading.passed(*erasures)
    return devana_success({"id": folder_id, "message": "folder deleted"}, 200 if passed else 202)


@router.get("/v1/folders/{folder_id}/files", **openapi_folders.LIST_FILES)
async def list_files(request: Request, folder_id: str) -> Response:
    """A folder's documents, in the order in which they came."""
    limit, offset = asked_page(request.query_params)
    folder = await _own_folder(request, folder_id)
    return devana_success([file_view(row) for row in await parts_of(request).library.files(folder, limit, offset)])


@router.post("/v1/folders/{folder_id}/files", **openapi_folders.ADD_FILES)
async def add_files(request: Request, folder_id: str) -> Response:
    """Puts documents into a folder; those that are in it stay. 202 when that was not read back in time."""
    parts, caller = parts_of(request), caller_of(request)
    ids = file_ids_of(parsed(FilesBody, (await read_json(request, parts.max_body_bytes)).value))
    await _own_folder(request, folder_id)
    await parts.library.require_documents(ids, caller.owner)
    position = await parts.documents.change_members(folder_id, caller, added=ids)
    return devana_success(ids, 200 if await parts.library.passed(position) else 202)


@router.delete("/v1/folders/{folder_id}/files/{file_id}", **openapi_folders.REMOVE_FILE)
async def remove_file(request: Request, folder_id: str, file_id: str) -> Response:
    """Takes a document out of a folder, and so out of its search; the document stays."""
    parts, caller = parts_of(request), caller_of(request)
    await _own_folder(request, folder_id)
    if not await parts.library.is_member(folder_id, document_id_of(file_id)):
        raise not_found("document")
    position = await parts.documents.change_members(folder_id, caller, removed=[file_id])
    passed = await parts.library.passed(position)
    return devana_success({"id": file_id, "message": "document removed from folder"}, 200 if passed else 202)


@router.post("/v1/folders/{folder_id}/reindex", **openapi_folders.REINDEX)
async def reindex(request: Request, folder_id: str) -> Response:
    """Indexes a folder anew; or does the newest embedding again that is about this id (contract A22)."""
    parts, caller = parts_of(request), caller_of(request)
    await parts.library.up_to_now()
    row = await parts.library.model.folder(folder_id) if "\x00" not in folder_id else None
    if row is None or row.owner != caller.owner or row.removed:
        return await begin_again(request, folder_id, job_types().that_make(Makes.INDEX), "folder")
    newest = await parts.library.model.newest_of_target(folder_id, caller.owner, job_types().that_make(Makes.INDEX))
    if newest is not None and not newest[1].terminal:
        raise running("the folder is being indexed", newest[0])
    return await _index(request, row)


@router.get("/v1/folders/{folder_id}/search", **openapi_folders.SEARCH)
async def search(request: Request, folder_id: str) -> Response:
    """The chunks of the folder's documents nearest to a text, the best first. 409 before there is an index."""
    asked = asked_search(request.query_params)
    folder = await _own_folder(request, folder_id)
    hits = await parts_of(request).search.hits(folder, asked.query, asked.limit)
    return devana_success([hit_view(hit) for hit in hits])


async def _own_folder(request: Request, folder_id: str) -> FolderRow:
    return await parts_of(request).library.folder(folder_id_of(folder_id), caller_of(request).owner)


async def _index(request: Request, row: FolderRow) -> Response:
    folder_id = row.folder_id
    known = ResolvedFolder(folder_id=folder_id, name=row.name or folder_id, chunk_size=row.chunk_size or 0)
    return await begin(request, "embedding", {"folder_id": folder_id}, folder_id, known)
