"""Small documents of many jobs in one file: written, read by their places, erased in place."""

import errno
import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic_core import to_json

from piperoll.store import segments
from piperoll.store.segments import SegmentWriter, created_at, lines, range_of, read

LINES = st.lists(
    st.tuples(st.uuids().map(lambda one: f"job-{one}"), st.dictionaries(st.text(max_size=8), st.text(max_size=40))),
    min_size=1,
    max_size=12,
)


@pytest.fixture
def segment(tmp_path: Path) -> Iterator[SegmentWriter]:
    opened = SegmentWriter(tmp_path)
    yield opened
    opened.close()


def test_what_was_appended_is_read_back_by_its_place(segment: SegmentWriter, tmp_path: Path) -> None:
    first = segment.append([("job-1", b'{"a":1}'), ("job-2", b'{"b":2}')])
    second = segment.append([("job-3", b"{}")])
    read = [segments.read(tmp_path, place) for place in (*first, *second)]
    assert read == [b'{"a":1}', b'{"b":2}', b"{}"]
    assert len({place.segment for place in (*first, *second)}) == 1


@given(LINES)
def test_every_document_keeps_its_own_place_whatever_it_holds(
    tmp_path_factory: pytest.TempPathFactory, documents: list[tuple[str, dict[str, str]]]
) -> None:
    root = tmp_path_factory.mktemp("store")
    segment = SegmentWriter(root)
    places = segment.append([(subject, to_json(document)) for subject, document in documents])
    segment.close()
    assert [segments.read(root, place) for place in places] == [to_json(document) for _, document in documents]
    assert [(line.subject, line.range) for line in lines(root, places[0].segment)] == [
        (subject, place) for (subject, _), place in zip(documents, places, strict=True)
    ]
    assert [range_of(place.uri) for place in places] == places


def test_an_erased_document_is_gone_from_the_disk_and_its_neighbours_stay(
    segment: SegmentWriter, tmp_path: Path
) -> None:
    one, secret, other = segment.append([("job-1", b'"one"'), ("job-2", b'"canary"'), ("job-3", b'"other"')])
    segments.blank(tmp_path, secret)
    assert b"canary" not in (tmp_path / secret.segment).read_bytes()
    with pytest.raises(FileNotFoundError):
        segments.read(tmp_path, secret)
    assert (segments.read(tmp_path, one), segments.read(tmp_path, other)) == (b'"one"', b'"other"')
    assert [line.subject for line in lines(tmp_path, one.segment)] == ["job-1", "job-3"]


def test_a_document_of_two_lines_is_refused(segment: SegmentWriter) -> None:
    with pytest.raises(ValueError, match="one line"):
        segment.append([("job-1", b"{\n}")])


def test_a_full_segment_is_followed_by_another(segment: SegmentWriter, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(segments, "MAX_SEGMENT_BYTES", 9)
    (first,), (second,) = segment.append([("job-1", b"{}")]), segment.append([("job-2", b"{}")])
    assert first.segment != second.segment


def test_an_old_segment_is_followed_by_another(segment: SegmentWriter, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(segments, "MAX_SEGMENT_AGE", timedelta(0))
    (first,), (second,) = segment.append([("job-1", b"{}")]), segment.append([("job-2", b"{}")])
    assert first.segment != second.segment


def test_a_segment_has_the_time_of_its_beginning(segment: SegmentWriter) -> None:
    (place,) = segment.append([("job-1", b"{}")])
    begun = created_at(place.segment)
    assert begun is not None
    assert timedelta(seconds=-1) < datetime.now(UTC) - begun < timedelta(minutes=1)


@pytest.mark.parametrize(
    "uri",
    [
        "job-1/in/ab#0-1",
        "segments/2026-01-01/000000-ab#0-1",
        f"segments/2026-01-01/000000-{'a' * 32}",
        f"segments/../2026-01-01/000000-{'a' * 32}#0-1",
    ],
)
def test_an_address_without_a_place_is_a_whole_blob(uri: str) -> None:
    assert range_of(uri) is None


def test_two_writers_never_share_a_file(tmp_path: Path) -> None:
    writers = [SegmentWriter(tmp_path) for _ in range(4)]

    def write(writer: SegmentWriter) -> set[str]:
        return {place.segment for n in range(50) for place in writer.append([(f"job-{n}", b"{}")])}

    with ThreadPoolExecutor(4) as threads:
        names = list(threads.map(write, writers))
    for writer in writers:
        writer.close()
    assert len(set().union(*names)) == 4


def test_a_full_disk_leaves_no_empty_segments(segment: SegmentWriter, tmp_path: Path) -> None:
    written, full = os.write, True

    def write(handle: int, content: bytes) -> int:
        if full:
            raise OSError(errno.ENOSPC, "no space left on device")
        return written(handle, content)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(os, "write", write)
        for _ in range(20):
            with pytest.raises(OSError, match="no space"):
                segment.append([("job-1", b"{}")])
        assert [path for path in tmp_path.rglob("*") if path.is_file()] == []
        full = False
        (kept,) = segment.append([("job-1", b"{}")])
        full = True
        with pytest.raises(OSError, match="no space"):
            segment.append([("job-2", b"{}")])
    assert read(tmp_path, kept) == b"{}", "a segment with an entry stays"
