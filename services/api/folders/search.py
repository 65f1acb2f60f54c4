"""Search in a folder: the chunks nearest to the query's vector by the model of the index."""

from collections.abc import Sequence

import structlog

from piperoll.embeddings import EmbeddingError, Remote
from schemas.errors import ErrorCode
from services.api.folders.query_vectors import QueryVectors
from services.api.http.errors import UnavailableError, conflict
from services.api.read_model.document_rows import FolderRow, HitRow
from services.api.read_model.documents import DocumentModel

log = structlog.get_logger()


class Search:
    """Exact search by the cosine; folders are small enough that no approximation is needed."""

    def __init__(self, model: DocumentModel, remote: Remote) -> None:
        self._model = model
        self._vectors = QueryVectors(remote)

    async def hits(self, folder: FolderRow, query: str, limit: int) -> list[HitRow]:
        """Return the chunks nearest to the query, the best first. Raises ApiError: CONFLICT (409) for a folder that was
        never indexed, PROVIDER_ERROR (503) if the model does not answer, READ_MODEL_UNAVAILABLE (503)."""
        index = await self._model.index(folder.folder_id)
        if index is None:
            message = f"the folder has no index yet: POST /v1/folders/{folder.folder_id}/reindex creates it"
            raise conflict(message, folderId=folder.folder_id)
        vector = await self._vector(folder.owner, index.model, query)
        return await self._model.search(folder.folder_id, folder.owner, index.model, vector, limit)

    async def _vector(self, owner: str, model: str, query: str) -> Sequence[float]:
        try:
            return await self._vectors.of(owner, model, query)
        except EmbeddingError as error:
            log.warning("query_not_embedded", model=model, error=repr(error))
            message = f"the query cannot be compared with the index: {error}"
            raise UnavailableError(ErrorCode.PROVIDER_ERROR, message, {"model": model}) from error
