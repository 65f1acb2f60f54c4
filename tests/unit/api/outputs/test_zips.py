"""ZIP streams: a ZIP of exactly those members, of the length that was announced, the same bytes each time."""

import io
import zipfile
from collections.abc import AsyncIterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.api.outputs.zips import ZipMember, zip_length, zipped
from tests.support.simulation.virtual_time import VirtualLoop, run_virtually

NAMES = st.text(st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="/\\"), min_size=1, max_size=20)


def member(name: str, content: bytes, chunk: int = 7) -> ZipMember:
    async def chunks() -> AsyncIterator[bytes]:
        for start in range(0, len(content), chunk):
            yield content[start : start + chunk]

    return ZipMember(name, len(content), chunks)


def packed(members: list[ZipMember]) -> bytes:
    async def collect() -> bytes:
        return b"".join([piece async for piece in zipped(members)])

    return run_virtually(collect(), VirtualLoop())


@given(st.dictionaries(NAMES, st.binary(max_size=60), max_size=8))
def test_a_zip_holds_its_members_and_has_the_announced_length(files: dict[str, bytes]) -> None:
    members = [member(name, content) for name, content in files.items()]
    content = packed(members)
    assert len(content) == zip_length(members)
    assert content == packed(members)
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        assert archive.testzip() is None
        assert archive.namelist() == list(files)
        assert {name: archive.read(name) for name in files} == files
        assert {info.date_time for info in archive.infolist()} <= {(1980, 1, 1, 0, 0, 0)}


async def test_a_zip_of_large_members_never_holds_more_than_a_chunk() -> None:
    async def megabytes() -> AsyncIterator[bytes]:
        for _ in range(40):
            yield bytes(1024 * 1024)

    members = [ZipMember(f"{number}.jpg", 40 * 1024 * 1024, megabytes) for number in range(3)]
    largest = total = 0
    async for piece in zipped(members):
        largest, total = max(largest, len(piece)), total + len(piece)
    assert largest < 1.1 * 1024 * 1024
    assert total == zip_length(members)


@pytest.mark.parametrize("members", [[member("a", b"")] * 70_000, [ZipMember("a", 2**31, member("a", b"").chunks)] * 2])
def test_beyond_what_a_plain_zip_can_hold_no_length_is_announced(members: list[ZipMember]) -> None:
    assert zip_length(members) is None
