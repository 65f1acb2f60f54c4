"""The parsers of our own take any text and any bytes: they return a bounded value or raise the error of their kind.

`make chaos` draws many more examples.
"""

from datetime import UTC, datetime
from email.utils import format_datetime
from urllib.parse import quote

from hypothesis import example, given
from hypothesis import strategies as st
from pydantic import ValidationError

from piperoll.addresses import literal_address
from piperoll.log.record import Record
from piperoll.store.paths import refusal_of
from piperoll.webhooks.origins import digest_of, origin_of
from piperoll.webhooks.retry_after import retry_after_s
from schemas.envelope import UndecodableRecordError, UnknownEventError
from schemas.fields import MAX_HOOK_URL_BYTES, file_reference, hook_address, is_upload, title
from schemas.job_types.sync import SyncParameters
from services.api.http.caller import valid_traceparent
from services.api.http.references import MAX_NAME_BYTES, blob_name, upload_name
from services.api.outputs.files import is_name
from services.api.outputs.ranges import UnsatisfiableRangeError, requested_range
from services.worker.fetch.response import NAME_BYTES, Reply, bare_name, redirect_target
from services.worker.processors.sync.listing import normalised, path_in
from tests.support.hostile.values import values

NOW = datetime(2026, 11, 29, tzinfo=UTC)
TEXTS = st.text(max_size=300) | values.map(str)
DATES = st.datetimes(timezones=st.timezones() | st.just(UTC)).map(format_datetime)
ZONES = st.sampled_from(["GMT", "+0000", "-2359", "+9999", "-99999999", f"+{10**30}", "EST", "?"])
LIKE_DATES = st.builds(
    "{}, {} {} {} {}:{}:{} {}".format,
    *(st.sampled_from(["Mon", "x", ""]), st.integers(-1, 99), st.sampled_from(["Jan", "Feb", "13"])),
    *(st.integers(-1, 10**30), st.integers(-1, 99), st.integers(-1, 99), st.integers(-1, 99), ZONES),
)
URLS = st.builds(
    "{}://{}{}/{}".format,
    st.sampled_from(["http", "https", "HTTPS", "ftp", "", "javascript"]),
    st.sampled_from(["", "a@", "a:b@", "[", "[::1", "[::1]", "xn--", "ﬀ.example", "%00", "1.1.1.1."]) | TEXTS,
    st.sampled_from(["", ":0", ":99999", ":x", ":", "."]),
    TEXTS,
)
HEADERS = st.lists(
    st.tuples(
        st.sampled_from(["ce_id", "ce_type", "ce_subject", "ce_time", "ce_source", "ce_specversion", "content-type"]),
        st.one_of(
            st.none(),
            st.binary(max_size=40),
            st.sampled_from(
                [b"1.0", b"job-1", b"piperoll.JobCreated.v1", b"piperoll.JobCreated.v999999", b"2026-11-29T00:00:00Z"]
            ),
        ),
    ),
    max_size=9,
)


@given(TEXTS | DATES | LIKE_DATES)
@example("Mon, 1 Jan 0001 00:00:00 +2359")
@example("Fri, 31 Dec 9999 23:59:59 -2359")
@example("²")
@example(f"Mon, 1 Jan {10**30} 00:00:00 GMT")
@example(f"Mon, 1 Jan 2026 00:00:00 +{10**30}")
def test_a_retry_after_is_a_wait_or_nothing(header: str) -> None:
    found = retry_after_s(header, NOW)
    assert found is None or 0 <= found < 10**12


@given(TEXTS | URLS)
def test_an_address_is_refused_or_stays_as_it_became(sent: str) -> None:
    try:
        url = hook_address(sent)
    except ValueError:
        return
    assert url.isprintable()
    assert len(url.encode()) <= MAX_HOOK_URL_BYTES
    assert hook_address(url) == url
    assert len(digest_of(origin_of(url))) <= 64
    literal_address(url.partition("://")[2])


@given(TEXTS)
def test_the_name_of_an_upload_is_the_end_of_a_path_in_the_store(name: str) -> None:
    for stored in (upload_name(name), blob_name(name)):
        assert 0 < len(stored.encode()) <= MAX_NAME_BYTES
        assert "/" not in stored
    assert blob_name(blob_name(name)) == blob_name(name)
    assert refusal_of(f"uploads/local/file-1/{blob_name(name)}") is None


@given(TEXTS)
def test_a_reference_to_a_file_is_refused_or_stays_as_it_became(sent: str) -> None:
    try:
        name = file_reference(sent)
    except ValueError:
        return
    assert file_reference(name) == name
    if is_upload(name):
        assert refusal_of(f"uploads/local/{name.removeprefix('upload://')}") is None
    assert title(name) == name


@given(TEXTS, st.integers(0, 10**12))
def test_a_range_lies_in_the_file(header: str, size: int) -> None:
    for text in (header, f"bytes={header}", f"bytes={len(header)}-{size}", f"bytes=-{size}"):
        try:
            found = requested_range(text, size)
        except UnsatisfiableRangeError:
            continue
        assert found is None or 0 <= found[0] < found[1] <= size


@given(st.binary(max_size=100))
def test_a_trace_is_one_of_the_standard_or_none(header: bytes) -> None:
    found = valid_traceparent(header)
    assert found is None or len(found) == 55


@given(TEXTS)
def test_an_output_s_name_stays_in_its_folder(name: str) -> None:
    if is_name(name):
        assert ".." not in name.split("/")
        assert not name.startswith("/")


@given(TEXTS, TEXTS)
def test_the_name_of_a_download_is_the_end_of_a_path(disposition: str, path: str) -> None:
    headers = {"content-disposition": disposition.encode("utf-8", "replace").decode("latin-1")}
    quoted = quote(path, safe="%", errors="replace")
    for header in (headers, {"content-disposition": f"attachment; filename*=UTF-8''{quoted}"}, {}):
        name = Reply(200, header).name(path)  # type: ignore[arg-type]
        assert 0 < len(name.encode()) <= max(NAME_BYTES, 8)
        assert "/" not in name
        assert bare_name(name) == name


@given(TEXTS | URLS, TEXTS | URLS)
def test_a_redirect_leads_somewhere_or_nowhere(location: str, url: str) -> None:
    found = redirect_target(Reply(302, {"location": location}), url)  # type: ignore[arg-type]
    assert found is None or isinstance(found, str)


@given(URLS | TEXTS.map("file:///{}".format) | TEXTS.map("s3://bucket/{}".format))
def test_a_source_is_refused_or_normalised_once(sent: str) -> None:
    try:
        source = SyncParameters(source=sent, folder_id="folder-1").source
    except ValidationError:
        return
    found = normalised(source)
    assert normalised(found) == found
    assert path_in(found).startswith("/")


@given(HEADERS, st.one_of(st.none(), st.binary(max_size=60)), st.sampled_from(["job-1", "", "é", "x" * 300]))
def test_a_record_is_a_fact_or_refused(headers: list[tuple[str, bytes | None]], value: bytes | None, key: str) -> None:
    record = Record("piperoll.jobs.events.v1", 0, 0, 1_000, key.encode(), value, tuple(headers))
    try:
        record.fact()
    except (UndecodableRecordError, UnknownEventError):
        return
