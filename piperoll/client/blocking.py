"""The blocking client."""

from typing import Any, Self

import httpx

from piperoll.client.drivers.blocking import BlockingDriver
from piperoll.client.drivers.http import options_of
from piperoll.client.drivers.methods import BlockingResource, Iteration, Method
from piperoll.client.policy import RetryPolicy
from piperoll.client.scripts import admin, batches, documents, files, jobs, streams


class Jobs(BlockingResource):
    """Create, read, follow and end jobs."""

    create = Method(jobs.create_job)
    estimate = Method(jobs.estimate_job)
    get = Method(jobs.get_job)
    list = Iteration(jobs.list_jobs)
    wait = Method(jobs.wait_for_job)
    watch = Iteration(jobs.watch_job)
    stream = Iteration(streams.stream_job)
    result = Method(jobs.result_of)
    download = Method(files.download)
    download_archive = Method(files.download_archive)
    content = Method(files.file_content)
    cancel = Method(jobs.cancel_job)
    restart = Method(jobs.restart_job)
    erase = Method(jobs.erase_job)
    history = Iteration(jobs.history_of)
    deliveries = Method(jobs.deliveries_of)
    redeliver = Method(jobs.redeliver_job)


class Batches(BlockingResource):
    """Jobs that are created together."""

    create = Method(batches.create_batch)
    get = Method(batches.get_batch)
    list = Iteration(batches.list_batches)
    wait = Method(batches.wait_for_batch)
    erase = Method(batches.erase_batch)


class Documents(BlockingResource):
    """Documents, which jobs read."""

    upload = Method(documents.add_document)
    get = Method(documents.get_document)
    wait = Method(documents.wait_for_document)
    list = Iteration(documents.list_documents)
    delete = Method(documents.delete_document)
    reextract = Method(documents.reextract)


class Folders(BlockingResource):
    """Folders of documents, and their search."""

    create = Method(documents.create_folder)
    get = Method(documents.get_folder)
    list = Iteration(documents.list_folders)
    change = Method(documents.change_folder)
    delete = Method(documents.delete_folder)
    files = Iteration(documents.list_files)
    add = Method(documents.add_files)
    take_out = Method(documents.take_out)
    reindex = Method(documents.reindex)
    search = Method(documents.search)


class Endpoints(BlockingResource):
    """Registered webhook endpoints."""

    register = Method(admin.register_endpoint)
    list = Method(admin.list_endpoints)
    delete = Method(admin.delete_endpoint)
    try_out = Method(admin.try_endpoint)


class SigningKeys(BlockingResource):
    """Keys that sign the webhooks of jobs, for the scope `admin`."""

    list = Method(admin.list_signing_keys)
    rotate = Method(admin.rotate_signing_key)
    end = Method(admin.end_signing_key)


class Keys(BlockingResource):
    """API keys of all owners, for the scope `admin`."""

    list = Method(admin.list_keys)
    create = Method(admin.create_key)
    rotate = Method(admin.rotate_key)
    end = Method(admin.end_key)


class Client(BlockingResource):
    """A client of the Piperoll API at `url` with an API key.

    Requests are repeated as `retries` states, only where a repeat is safe. Options of `http` go to httpx, such as
    `verify`, `proxy` and `transport`. Raises ValueError for an address that is not one of HTTP. Close it, or
    use it in `with`; threads may share it.
    """

    upload = Method(files.upload)
    stream = Iteration(streams.stream_owner)
    redeliver = Method(jobs.redeliver)
    try_webhook = Method(admin.try_webhook)
    limits = Method(admin.limits)
    sign_in_link = Method(admin.sign_in_link)
    health = Method(admin.health)
    audit = Method(admin.audit)
    system = Method(admin.system)
    redrive = Method(admin.redrive)

    def __init__(self, url: str, key: str = "", *, retries: RetryPolicy | None = None, **http: Any) -> None:
        rules = retries or RetryPolicy()
        driver = BlockingDriver(httpx.Client(**{**options_of(url, key, rules), **http}), rules)
        super().__init__(driver)
        self.jobs = Jobs(driver)
        self.batches = Batches(driver)
        self.documents = Documents(driver)
        self.folders = Folders(driver)
        self.endpoints = Endpoints(driver)
        self.signing_keys = SigningKeys(driver)
        self.keys = Keys(driver)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._driver.http.close()
