"""Contents that are kept in memory after the first read."""

from pathlib import Path

from piperoll.store.blobs import AsyncBlobs, Blobs
from services.api.read_model.content_memo import ContentMemo
from services.api.read_model.contents import Contents


async def test_content_is_read_once_until_it_is_evicted(tmp_path: Path) -> None:
    blobs = AsyncBlobs(Blobs(tmp_path.as_uri()))
    claims = [await blobs.put("folder", str(number).encode()) for number in range(3)]
    memo: ContentMemo[int] = ContentMemo(Contents(blobs), max_entries=2)
    first, second, third = claims
    assert [await memo.get(claim, lambda found: found * 10) for claim in (first, second)] == [0, 10]
    await blobs.delete_folder("folder")
    assert [await memo.get(claim, int) for claim in (second, first)] == [10, 0], "remembered"
    assert await memo.get(third, int) is None, "never read, and gone"
    fourth = await blobs.put("folder", b"3")
    assert await memo.get(fourth, int) == 3
    assert [await memo.get(claim, int) for claim in (first, second)] == [0, None], "the one used longest ago went"
    assert await memo.get(None, int) is None
    blobs.close()
