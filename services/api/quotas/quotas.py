"""The quotas of owners: what a request must pass before something is stored for it, and what an owner may read."""

import asyncio
import tempfile
from pathlib import Path
from typing import Any

import asyncpg

from piperoll.postgres import load_queries
from piperoll.settings import Settings
from piperoll.store.blobs import AsyncBlobs
from schemas.errors import ErrorCode
from services.api.http.admission import Activity, Traffic, quota_exceeded
from services.api.http.database import bounded_query
from services.api.http.errors import ApiError
from services.api.quotas.counted import CountedQuota
from services.api.quotas.free_space import FreeSpace
from services.api.read_model.catching_up import CatchingUp

_QUERIES = load_queries("services.api.quotas", "quotas.sql")
CATCH_UP_S = 1.0
OPEN_JOBS_LIFE_S = 1.0
STORED_LIFE_S = 10.0  # a count lists the owner's uploads
OPEN_JOBS_RETRY_S = 10
STORED_RETRY_S = 60


class Quotas:
    """What each owner may use. While the read model is away, what cannot be counted is not refused."""

    def __init__(
        self,
        settings: Settings,
        pool: asyncpg.Pool,
        blobs: AsyncBlobs,
        traffic: Traffic,
        jobs_log: CatchingUp,
        documents_log: CatchingUp,
    ) -> None:
        self._settings = settings
        self._jobs_log = jobs_log
        self._documents_log = documents_log
        self._pool = pool
        self._blobs = blobs
        self._traffic = traffic
        self._space = FreeSpace(blobs.root, settings.min_free_bytes)
        self._room = FreeSpace(Path(tempfile.gettempdir()), settings.min_free_bytes)
        jobs, stored = settings.owner_open_jobs, settings.owner_stored_bytes
        self._open_jobs = CountedQuota(jobs, self._count_open_jobs, OPEN_JOBS_LIFE_S, lambda: _too_many_jobs(jobs))
        self._stored = CountedQuota(stored, self._count_stored, STORED_LIFE_S, lambda: _too_much_stored(stored))

    async def admit_jobs(self, owner: str, count: int) -> None:
        """Count new jobs. Raises ApiError: QUOTA_EXCEEDED (429), INSUFFICIENT_STORAGE (507)."""
        await self._space.require()
        await self._open_jobs.admit(owner, count)

    async def require_room(self) -> None:
        """Raise ApiError INSUFFICIENT_STORAGE (507) if the disk that large files arrive on is nearly full."""
        await self._room.require()

    async def admit_upload(self, owner: str, size: int) -> None:
        """Count a file of so many bytes. Raises ApiError INSUFFICIENT_STORAGE (507)."""
        await self._space.require()
        await self._stored.admit(owner, size)

    async def of(self, owner: str) -> dict[str, Any]:
        """Return each quota's limit, and what the owner uses of it; null if that cannot be counted at present."""
        jobs, stored = await asyncio.gather(self._open_jobs.used(owner), self._stored.used(owner))
        limits, settings = self._traffic.limits, self._settings
        here = {
            activity.value: {"limit": limits.most[activity], "used": self._traffic.count(owner, activity)}
            for activity in Activity
        }
        return {
            "installation": {
                "open_jobs": {"limit": self._open_jobs.limit, "used": jobs},
                "stored_bytes": {"limit": self._stored.limit, "used": stored},
            },
            "process": {
                **here,
                "requests_per_second": {"limit": limits.requests_per_s},
                "requests_per_second_beside_others": {"limit": limits.shared_per_s},
            },
            "request": {
                "json_bytes": {"limit": settings.max_body_bytes},
                "upload_bytes": {"limit": settings.max_upload_bytes},
                "batch_jobs": {"limit": settings.max_batch_jobs},
            },
        }

    async def _count_open_jobs(self, owner: str) -> int:
        await self._jobs_log.briefly(CATCH_UP_S)  # else jobs that were just created are not counted
        return await self._query("open_jobs", owner, self._open_jobs.limit + 1)

    async def _count_stored(self, owner: str) -> int:
        await self._documents_log.briefly(CATCH_UP_S)
        documents, uploads = await asyncio.gather(
            self._query("document_bytes", owner), self._blobs.bytes_in(f"uploads/{owner}")
        )
        return documents + uploads

    async def _query(self, name: str, *arguments: Any) -> int:
        async with bounded_query(name, self._settings.read_deadline_s):
            return int(await self._pool.fetchval(_QUERIES[name], *arguments))


def _too_many_jobs(limit: int) -> ApiError:
    return quota_exceeded("open_jobs", limit, "wait until jobs have ended, cancel some", OPEN_JOBS_RETRY_S)


def _too_much_stored(limit: int) -> ApiError:
    message = (
        f"the uploads and documents of one owner have at most {limit:,} bytes: delete documents that are not needed; "
        f"uploads that no open job uses are deleted after a while"
    )
    details = {"quota": "stored_bytes", "limit": limit}
    return ApiError(507, ErrorCode.INSUFFICIENT_STORAGE, message, details, {"Retry-After": str(STORED_RETRY_S)})
