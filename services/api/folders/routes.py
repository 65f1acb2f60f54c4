"""`/v1/folders`: group documents, index their texts, and search in them (docs/contract/devana.md#folders, #search)."""

from starlette.requests import Request
from starlette.responses import Response

from piperoll.job_types import job_types
from schemas.documents import FolderDetails, ResolvedFolder
from schemas.ids import draw_folder_id, is_id
from schemas.job_types.declaration import Makes
from services.api.documents.commands import DocumentCommands
from services.api.documents.jobs import DocumentJobs, still_running
from services.api.documents.requests import DocumentPageQuery, document_id_of, folder_id_of
from services.api.documents.views import folder_view, hit_view, listed_view
from services.api.folders import openapi
from services.api.folders.requests import FilesBody, FolderBody, FolderChange, SearchQuery, file_ids_of
from services.api.folders.search import Search
from services.api.http.answers import devana_success
from services.api.http.bodies import read_json
from services.api.http.caller import USER_ID, caller_of
from services.api.http.errors import not_found
from services.api.http.routing import Routes, route
from services.api.jobs.reading import Reading
from services.api.read_model.document_rows import FolderRow
from services.api.read_model.library import Library


class FolderRoutes(Routes, tag="folders"):
    """`/v1/folders`."""

    library: Library
    documents: DocumentCommands
    jobs: DocumentJobs
    reading: Reading
    index: Search
    max_body_bytes: int

    @route("GET", "/v1/folders", "/v1/folders/", operation=openapi.LIST_FOLDERS)
    async def list_folders(self, request: Request) -> Response:
        """Return the owner's folders, newest first, each in the seed's wrapper."""
        page = DocumentPageQuery.of(request.query_params)
        rows = await self.library.folders(caller_of(request).owner, page.limit, page.offset)
        return devana_success([{"status": "fulfilled", "value": folder_view(row)} for row in rows])

    @route("POST", "/v1/folders", "/v1/folders/", operation=openapi.CREATE_FOLDER)
    async def create_folder(self, request: Request) -> Response:
        """Create a folder."""
        caller, user = caller_of(request), USER_ID.of(request)
        body = FolderBody.read((await read_json(request, self.max_body_bytes)).value)
        details = FolderDetails(name=body.name, description=body.description)
        folder_id = draw_folder_id()
        fact, position = await self.documents.create_folder(folder_id, details, body.chunk_size, caller, user)
        await self.library.catching_up.passed(position)
        now = fact.time
        row = FolderRow(folder_id, caller.owner, body.name, body.description, body.chunk_size, False, now, now, 0)
        return devana_success(folder_view(row))

    @route("GET", "/v1/folders/{folder_id}", operation=openapi.GET_FOLDER)
    async def get_folder(self, request: Request, folder_id: str) -> Response:
        """Return a folder."""
        return devana_success(folder_view(await self._own_folder(request, folder_id)))

    @route("PUT", "/v1/folders/{folder_id}", operation=openapi.CHANGE_FOLDER)
    async def change_folder(self, request: Request, folder_id: str) -> Response:
        """Change a folder; another chunk size indexes it again. 202 if the change was not read back in time."""
        caller = caller_of(request)
        body = FolderChange.read((await read_json(request, self.max_body_bytes)).value)
        row = await self._own_folder(request, folder_id)
        description = body.description if "description" in body.model_fields_set else row.description
        changed = FolderDetails(name=body.name or row.name or folder_id, description=description)
        details = changed if (changed.name, changed.description) != (row.name, row.description) else None
        chunk_size = body.chunk_size if body.chunk_size != row.chunk_size else None
        if details is None and chunk_size is None:
            return devana_success(folder_view(row))
        position = await self.documents.change_folder(folder_id, details, chunk_size, caller)
        if chunk_size is not None:
            await self._index(request, row)
        passed = await self.library.catching_up.passed(position)
        return devana_success(folder_view(await self._own_folder(request, folder_id)), 200 if passed else 202)

    @route("DELETE", "/v1/folders/{folder_id}", operation=openapi.DELETE_FOLDER)
    async def delete_folder(self, request: Request, folder_id: str) -> Response:
        """Remove a folder and its index; its documents stay. 202 if that was not read back in time."""
        caller = caller_of(request)
        await self._own_folder(request, folder_id)
        position = await self.documents.remove_folder(folder_id, caller)
        erasures = await self.jobs.erase(request, folder_id, job_types().that_make(Makes.INDEX))
        await self.documents.delete_content(folder_id)
        passed = await self.library.catching_up.passed(position) and await self.reading.catching_up.passed(*erasures)
        return devana_success({"id": folder_id, "message": "folder deleted"}, 200 if passed else 202)

    @route("GET", "/v1/folders/{folder_id}/files", operation=openapi.LIST_FILES)
    async def list_files(self, request: Request, folder_id: str) -> Response:
        """Return a folder's documents, in the order in which they were added."""
        page = DocumentPageQuery.of(request.query_params)
        folder = await self._own_folder(request, folder_id)
        return devana_success([listed_view(row) for row in await self.library.files(folder, page.limit, page.offset)])

    @route("POST", "/v1/folders/{folder_id}/files", operation=openapi.ADD_FILES)
    async def add_files(self, request: Request, folder_id: str) -> Response:
        """Add documents to a folder. 202 if that was not read back in time."""
        caller = caller_of(request)
        ids = file_ids_of(FilesBody.read((await read_json(request, self.max_body_bytes)).value))
        await self._own_folder(request, folder_id)
        await self.library.require_documents(ids, caller.owner)
        position = await self.documents.change_members(folder_id, caller, added=ids)
        return devana_success(ids, 200 if await self.library.catching_up.passed(position) else 202)

    @route("DELETE", "/v1/folders/{folder_id}/files/{file_id}", operation=openapi.REMOVE_FILE)
    async def remove_file(self, request: Request, folder_id: str, file_id: str) -> Response:
        """Remove a document from a folder and its search; the document stays."""
        caller = caller_of(request)
        await self._own_folder(request, folder_id)
        if not await self.library.is_member(folder_id, document_id_of(file_id)):
            raise not_found("document")
        position = await self.documents.change_members(folder_id, caller, removed=[file_id])
        passed = await self.library.catching_up.passed(position)
        return devana_success({"id": file_id, "message": "document removed from folder"}, 200 if passed else 202)

    @route("POST", "/v1/folders/{folder_id}/reindex", operation=openapi.REINDEX)
    async def reindex(self, request: Request, folder_id: str) -> Response:
        """Index a folder again, or repeat the newest embedding job about this id (docs/contract/decisions.md#a22)."""
        caller = caller_of(request)
        await self.library.up_to_now()
        row = await self.library.model.folder(folder_id) if is_id("folder", folder_id) else None
        if row is None or row.owner != caller.owner or row.removed:
            return await self.jobs.repeat(request, folder_id, job_types().that_make(Makes.INDEX), "folder")
        newest = await self.library.model.newest_of_target(folder_id, caller.owner, job_types().that_make(Makes.INDEX))
        if newest is not None and not newest[1].terminal:
            raise still_running("the folder is being indexed", newest[0])
        return await self._index(request, row)

    @route("GET", "/v1/folders/{folder_id}/search", operation=openapi.SEARCH)
    async def search(self, request: Request, folder_id: str) -> Response:
        """Return the chunks of the folder's documents nearest to a text, best first. 409 before it is indexed."""
        query = SearchQuery.of(request.query_params)
        folder = await self._own_folder(request, folder_id)
        hits = await self.index.hits(folder, query.q, query.limit)
        return devana_success([hit_view(hit) for hit in hits])

    async def _own_folder(self, request: Request, folder_id: str) -> FolderRow:
        return await self.library.folder(folder_id_of(folder_id), caller_of(request).owner)

    async def _index(self, request: Request, row: FolderRow) -> Response:
        folder_id = row.folder_id
        target = ResolvedFolder(folder_id=folder_id, name=row.name or folder_id, chunk_size=row.chunk_size or 0)
        return await self.jobs.create(request, "embedding", {"folder_id": folder_id}, folder_id, target)
