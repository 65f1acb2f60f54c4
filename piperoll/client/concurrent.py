"""The client for asyncio: the methods of the blocking one, as coroutines and asynchronous iterators."""

from typing import Any, Self

import httpx

from piperoll.client.drivers.concurrent import ConcurrentDriver
from piperoll.client.drivers.http import options_of
from piperoll.client.drivers.methods import AsyncIteration, AsyncMethod, ConcurrentResource
from piperoll.client.policy import RetryPolicy
from piperoll.client.scripts import admin, batches, documents, files, jobs, streams


class AsyncJobs(ConcurrentResource):
    """Create, read, follow and end jobs."""

    create = AsyncMethod(jobs.create_job)
    estimate = AsyncMethod(jobs.estimate_job)
    get = AsyncMethod(jobs.get_job)
    list = AsyncIteration(jobs.list_jobs)
    wait = AsyncMethod(jobs.wait_for_job)
    watch = AsyncIteration(jobs.watch_job)
    stream = AsyncIteration(streams.stream_job)
    result = AsyncMethod(jobs.result_of)
    download = AsyncMethod(files.download)
    download_archive = AsyncMethod(files.download_archive)
    content = AsyncMethod(files.file_content)
    cancel = AsyncMethod(jobs.cancel_job)
    restart = AsyncMethod(jobs.restart_job)
    erase = AsyncMethod(jobs.erase_job)
    history = AsyncIteration(jobs.history_of)
    deliveries = AsyncMethod(jobs.deliveries_of)
    redeliver = AsyncMethod(jobs.redeliver_job)


class AsyncBatches(ConcurrentResource):
    """Jobs that are created together."""

    create = AsyncMethod(batches.create_batch)
    get = AsyncMethod(batches.get_batch)
    list = AsyncIteration(batches.list_batches)
    wait = AsyncMethod(batches.wait_for_batch)
    erase = AsyncMethod(batches.erase_batch)


class AsyncDocuments(ConcurrentResource):
    """Documents, which jobs read."""

    upload = AsyncMethod(documents.add_document)
    get = AsyncMethod(documents.get_document)
    wait = AsyncMethod(documents.wait_for_document)
    list = AsyncIteration(documents.list_documents)
    delete = AsyncMethod(documents.delete_document)
    reextract = AsyncMethod(documents.reextract)


class AsyncFolders(ConcurrentResource):
    """Folders of documents, and their search."""

    create = AsyncMethod(documents.create_folder)
    get = AsyncMethod(documents.get_folder)
    list = AsyncIteration(documents.list_folders)
    change = AsyncMethod(documents.change_folder)
    delete = AsyncMethod(documents.delete_folder)
    files = AsyncIteration(documents.list_files)
    add = AsyncMethod(documents.add_files)
    take_out = AsyncMethod(documents.take_out)
    reindex = AsyncMethod(documents.reindex)
    search = AsyncMethod(documents.search)


class AsyncEndpoints(ConcurrentResource):
    """Registered webhook endpoints."""

    register = AsyncMethod(admin.register_endpoint)
    list = AsyncMethod(admin.list_endpoints)
    delete = AsyncMethod(admin.delete_endpoint)
    try_out = AsyncMethod(admin.try_endpoint)


class AsyncSigningKeys(ConcurrentResource):
    """Keys that sign the webhooks of jobs, for the scope `admin`."""

    list = AsyncMethod(admin.list_signing_keys)
    rotate = AsyncMethod(admin.rotate_signing_key)
    end = AsyncMethod(admin.end_signing_key)


class AsyncKeys(ConcurrentResource):
    """API keys of all owners, for the scope `admin`."""

    list = AsyncMethod(admin.list_keys)
    create = AsyncMethod(admin.create_key)
    rotate = AsyncMethod(admin.rotate_key)
    end = AsyncMethod(admin.end_key)


class AsyncClient(ConcurrentResource):
    """A client of the Piperoll API at `url` with an API key.

    Requests are repeated as `retries` states, only where a repeat is safe. Options of `http` go to httpx, such as
    `verify`, `proxy` and `transport`. Raises ValueError for an address that is not one of HTTP. Close it, or use it in
    `async with`.
    """

    upload = AsyncMethod(files.upload)
    stream = AsyncIteration(streams.stream_owner)
    redeliver = AsyncMethod(jobs.redeliver)
    try_webhook = AsyncMethod(admin.try_webhook)
    limits = AsyncMethod(admin.limits)
    sign_in_link = AsyncMethod(admin.sign_in_link)
    health = AsyncMethod(admin.health)
    audit = AsyncMethod(admin.audit)
    system = AsyncMethod(admin.system)
    redrive = AsyncMethod(admin.redrive)

    def __init__(self, url: str, key: str = "", *, retries: RetryPolicy | None = None, **http: Any) -> None:
        rules = retries or RetryPolicy()
        driver = ConcurrentDriver(httpx.AsyncClient(**{**options_of(url, key, rules), **http}), rules)
        super().__init__(driver)
        self.jobs = AsyncJobs(driver)
        self.batches = AsyncBatches(driver)
        self.documents = AsyncDocuments(driver)
        self.folders = AsyncFolders(driver)
        self.endpoints = AsyncEndpoints(driver)
        self.signing_keys = AsyncSigningKeys(driver)
        self.keys = AsyncKeys(driver)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Close the connections."""
        await self._driver.http.aclose()
