"""The vectors of queries, on separate threads: a provider that is slow to answer delays searches alone."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from weakref import WeakValueDictionary

from piperoll.embeddings import Remote, embedder_of
from piperoll.store.threads import DaemonThreads

TIMEOUT_S = 15.0  # shorter than for jobs: a client waits for the answer
THREADS = 8
AT_ONCE_OF_OWNER = 2  # so that the searches of one owner do not take all threads


class QueryVectors:
    """Embeds queries by the model of an index. Queries beyond those at once wait."""

    def __init__(self, remote: Remote) -> None:
        self._remote = replace(remote, timeout_s=min(remote.timeout_s, TIMEOUT_S))
        self._threads = DaemonThreads(THREADS, "queries")
        self._turns: WeakValueDictionary[str, asyncio.Semaphore] = WeakValueDictionary()  # by owner, while it searches

    async def of(self, owner: str, model: str, query: str) -> Sequence[float]:
        """Return the vector of an owner's query. Raises EmbeddingError."""
        embedder = embedder_of(model, self._remote)
        async with self._turns.setdefault(owner, asyncio.Semaphore(AT_ONCE_OF_OWNER)):
            [vector] = await asyncio.get_running_loop().run_in_executor(self._threads, embedder.embed, [query])
        return vector
