"""Inputs that come together share a segment: each is read alone, deleted alone and fails alone."""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from piperoll.store import segments
from piperoll.store.blobs import AsyncBlobs, BlobMissingError, Blobs, BlobStoreError


@pytest.fixture
def blobs(tmp_path: Path) -> Iterator[AsyncBlobs]:
    opened = AsyncBlobs(Blobs(tmp_path.as_uri()))
    yield opened
    opened.close()


async def test_inputs_that_come_together_share_a_segment_and_each_is_read_alone(blobs: AsyncBlobs) -> None:
    claims = await asyncio.gather(*(blobs.put_input(f"job-{n}", b'{"n":%d}' % n, repeatable=False) for n in range(50)))
    assert [await blobs.get(claim.uri) for claim in claims] == [b'{"n":%d}' % n for n in range(50)]
    assert len({claim.uri.partition("#")[0] for claim in claims}) == 1
    assert [claim.size for claim in claims] == [len(b'{"n":%d}' % n) for n in range(50)]


async def test_what_may_come_again_or_is_large_gets_a_blob_of_its_own(blobs: AsyncBlobs) -> None:
    again = await blobs.put_input("job-1", b"{}", repeatable=True)
    large = await blobs.put_input("job-2", b'"%b"' % (b"x" * segments.MAX_CONTENT_BYTES), repeatable=False)
    assert again.uri.startswith("job-1/in/")
    assert large.uri.startswith("job-2/in/")


async def test_a_deleted_input_is_missing_and_deleting_it_again_succeeds(blobs: AsyncBlobs) -> None:
    claim = await blobs.put_input("job-1", b'"canary"', repeatable=False)
    await blobs.delete([claim.uri])
    await blobs.delete([claim.uri])
    with pytest.raises(BlobMissingError):
        await blobs.get(claim.uri)


async def test_a_disk_error_reaches_every_writer_of_the_group_and_the_next_group_succeeds(
    blobs: AsyncBlobs, tmp_path: Path
) -> None:
    (tmp_path / "segments").write_text("in the way")
    tries = [blobs.put_input(f"job-{n}", b"{}", repeatable=False) for n in range(3)]
    answers: list[Any] = await asyncio.gather(*tries, return_exceptions=True)
    assert [type(answer) for answer in answers] == [BlobStoreError] * 3
    (tmp_path / "segments").unlink()
    claim = await blobs.put_input("job-9", b"{}", repeatable=False)
    assert await blobs.get(claim.uri) == b"{}"


async def test_who_stops_waiting_does_not_disturb_the_others_of_the_group(blobs: AsyncBlobs) -> None:
    leaving = asyncio.create_task(blobs.put_input("job-1", b"{}", repeatable=False))
    staying = asyncio.create_task(blobs.put_input("job-2", b"[]", repeatable=False))
    await asyncio.sleep(0)
    leaving.cancel()
    claim = await staying
    assert await blobs.get(claim.uri) == b"[]"
