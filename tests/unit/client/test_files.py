"""Uploads and downloads of both clients."""

import io
from pathlib import Path
from typing import Any

import httpx
import pytest

from piperoll.client import AsyncClient, Client, NotReadyError
from tests.support.clients.both import NO_PAUSE, Both, success


def names_in(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir()]


async def test_an_upload_reports_its_progress_and_has_a_length(tmp_path: Path) -> None:
    path = tmp_path / "big.bin"
    path.write_bytes(bytes(300_000))
    reported: list[tuple[int, int]] = []
    both = Both(lambda request: success({"file_id": "f", "filename": f"upload://f/{len(request.content)}"}))

    await both.call("upload", path, sent=lambda done, total: reported.append((done, total)))

    assert len(both.sent) == 2
    assert all(int(one.headers["content-length"]) == len(one.content) for one in both.sent)
    half = reported[: len(reported) // 2]
    assert half == sorted(half)
    assert half[-1] == (300_000, 300_000)


@pytest.mark.parametrize("drawn", [True, False])
async def test_the_pages_of_a_document_are_drawn_on_request_alone(drawn: bool) -> None:
    both = Both(lambda _: success({"id": "job-1", "documentId": "doc-1", "status": "PENDING"}))

    await both.call("documents.upload", b"%PDF-", name="a.pdf", include_images=drawn)
    await both.call("documents.reextract", "doc-1", include_images=drawn)

    assert len(both.sent) == 4
    asked = [
        b'name="includeImages"' in one.content or one.url.params.get("includeImages") == "true" for one in both.sent
    ]
    assert asked == [drawn] * 4


async def test_a_hit_names_its_document_and_the_job_that_read_it() -> None:
    hit = {"documentId": "doc-1", "chunk": 0, "text": "a", "score": 0.5}
    both = Both(lambda _: success([hit, {**hit, "name": "a.pdf", "jobId": "job-1"}]))

    found = await both.call("folders.search", "folder-1", "a")

    assert [(one.name, one.job_id) for one in found] == [(None, None), ("a.pdf", "job-1")]


@pytest.mark.parametrize("again", [True, False])
async def test_an_open_file_is_sent_from_its_place_and_stays_open(again: bool) -> None:
    class Pipe(io.BytesIO):
        def seekable(self) -> bool:
            return again

    calls = 0

    def handler(request: httpx.Request) -> httpx.Response:
        nonlocal calls
        calls += 1
        if calls == 1 and again:
            return httpx.Response(503)
        assert b"rest" in request.content
        assert b"head" not in request.content
        return success({"file_id": "f", "filename": "upload://f/a"})

    file = Pipe(b"head rest")
    file.read(5)
    transport = httpx.MockTransport(handler)
    with Client("http://piperoll.test", retries=NO_PAUSE, transport=transport) as client:
        client.upload(file, name="a")
    assert not file.closed
    assert calls == 1 + again


async def test_a_download_goes_on_where_it_was_cut(tmp_path: Path) -> None:
    content = bytes(range(256)) * 40

    def handler(request: httpx.Request) -> httpx.Response:
        begin = int(request.headers.get("Range", "bytes=0-").removeprefix("bytes=").removesuffix("-"))

        class Cut(httpx.SyncByteStream, httpx.AsyncByteStream):
            def __iter__(self) -> Any:
                yield content[begin : begin + 6000]
                if begin + 6000 < len(content):
                    raise httpx.ReadError("cut")

            async def __aiter__(self) -> Any:
                for piece in self:
                    yield piece

        return httpx.Response(206 if begin else 200, stream=Cut())

    both = Both(handler)

    path = await both.call("jobs.download", "job-1", "/api/jobs/job-1/files/images/page%201.jpg", tmp_path)

    assert path == tmp_path / "page 1.jpg"
    assert path.read_bytes() == content
    assert names_in(tmp_path) == [path.name]
    assert both.sent[0].url.raw_path == b"/api/jobs/job-1/files/images/page%201.jpg"


async def test_a_download_before_the_end_is_an_error_and_leaves_no_file(tmp_path: Path) -> None:
    transport = httpx.MockTransport(lambda _: httpx.Response(202, json={"status": "processing"}))
    async with AsyncClient("http://piperoll.test", transport=transport) as client:
        with pytest.raises(NotReadyError):
            await client.jobs.download_archive("job-1", tmp_path)
    assert names_in(tmp_path) == []
