"""Search in a folder: the chunks nearest to the query's vector by the model of the index."""

import asyncio
from dataclasses import replace
from weakref import WeakValueDictionary

import structlog

from piperoll.embeddings import EmbeddingError, Remote, embedder_of
from piperoll.store.threads import DaemonThreads
from schemas.errors import ErrorCode
from services.api.http.errors import UnavailableError, conflict
from services.api.read_model.document_rows import FolderRow, HitRow
from services.api.read_model.documents import DocumentModel

log = structlog.get_logger()

QUERY_TIMEOUT_S = 15.0  # shorter than for jobs: a client waits for the answer
MOST_AT_ONCE = 8  # queries that are embedded, in threads of their own, since a provider may answer late
MOST_OF_OWNER = 4


class Search:
    """Exact search by the cosine; folders are small enough that no approximation is needed."""

    def __init__(self, model: DocumentModel, remote: Remote) -> None:
        self._model = model
        self._remote = replace(remote, timeout_s=min(remote.timeout_s, QUERY_TIMEOUT_S))
        self._threads = DaemonThreads(MOST_AT_ONCE, "search")
        self._turns: WeakValueDictionary[str, asyncio.Semaphore] = WeakValueDictionary()

    async def hits(self, folder: FolderRow, query: str, limit: int) -> list[HitRow]:
        """Return the chunks nearest to the query, the best first. Raises ApiError: CONFLICT (409) for a folder that was
        never indexed, PROVIDER_ERROR (503) if the model does not answer, READ_MODEL_UNAVAILABLE (503)."""
        index = await self._model.index(folder.folder_id)
        if index is None:
            message = f"the folder has no index yet: POST /v1/folders/{folder.folder_id}/reindex creates it"
            raise conflict(message, folderId=folder.folder_id)
        async with self._turns.setdefault(folder.owner, asyncio.Semaphore(MOST_OF_OWNER)):
            vector = await self._vector(index.model, query)
        return await self._model.search(folder.folder_id, folder.owner, index.model, vector, limit)

    async def _vector(self, model: str, query: str) -> list[float]:
        try:
            embedder = embedder_of(model, self._remote)
            [vector] = await asyncio.get_running_loop().run_in_executor(self._threads, embedder.embed, [query])
        except EmbeddingError as error:
            log.warning("query_not_embedded", model=model, error=repr(error))
            message = f"the query cannot be compared with the index: {error}"
            raise UnavailableError(ErrorCode.PROVIDER_ERROR, message, {"model": model}) from error
        return vector
