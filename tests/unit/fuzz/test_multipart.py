"""Forms of any bytes: a name that can be stored, or an answer of the kind 400 or 413."""

import asyncio

from hypothesis import example, given
from hypothesis import strategies as st
from starlette.requests import Request

from piperoll.settings import Settings
from piperoll.store.paths import refusal_of
from services.api.http.admission import Traffic, TrafficLimits
from services.api.http.bodies import BodyLimits
from services.api.http.errors import ApiError
from services.api.http.forms import form_of
from services.api.http.references import blob_name

LIMITS = BodyLimits(2_000, 4_000)
TRAFFIC = Traffic(TrafficLimits.of(Settings()))
NAMES = st.one_of(
    st.binary(max_size=60),
    st.text(max_size=60).map(lambda name: name.encode("utf-8", "surrogatepass")),
    st.sampled_from(
        [b"..", b"a/../b", b"C:\\a.pdf", b"a\x00b", b'a"b', b"a#1", b"x" * 1000, b"\xff\xfe", b"a\r\nb: c"]
    ),
)
PARAMETERS = st.sampled_from(
    [b'filename="%b"', b"filename*=UTF-8''%b", b"filename=%b", b"filename*=punycode''%b", b'name="%b"', b"%b", b";%b;"]
)
HEADERS = st.sampled_from(
    [b"", b"Content-Type: text/plain; charset=utf-8", b"Content-Type: %b", b"Content-Disposition: %b", b"%b", b"X: %b"]
)


PIECES = st.sampled_from([b"--B", b"--", b"\r\n", b"\r\n\r\n", b":", b'"', b"x" * 50, b"\x00"])


async def read(body: bytes, boundary: bytes = b"B") -> str | None:
    """The name of the file of a form; None if the form is refused."""
    declared = (b"content-type", b"multipart/form-data; boundary=" + boundary)
    length = (b"content-length", str(len(body)).encode())
    scope = {"type": "http", "method": "POST", "path": "/", "query_string": b"", "headers": [declared, length]}
    scope["piperoll.admission"] = TRAFFIC.enter("local")

    async def receive() -> dict[str, object]:
        return {"type": "http.request", "body": body, "more_body": False}

    try:
        async with form_of(Request(scope, receive), LIMITS) as form:
            return form.upload.filename if form.upload else ""
    except ApiError as error:
        if error.status not in (400, 413):
            raise
        return None


@given(NAMES, PARAMETERS, HEADERS, st.binary(max_size=30))
@example(b"a.pdf", b'filename="%b"', b"", b"content")
def test_the_name_of_a_part_can_be_stored(name: bytes, parameter: bytes, header: bytes, content: bytes) -> None:
    disposition = b'Content-Disposition: form-data; name="file"; ' + parameter.replace(b"%b", name)
    lines = [disposition, *([header.replace(b"%b", name)] if header else [])]
    body = b"--B\r\n" + b"\r\n".join(lines) + b"\r\n\r\n" + content + b"\r\n--B--\r\n"
    found = asyncio.run(read(body))
    if found is not None:
        assert refusal_of(f"uploads/local/file-1/{blob_name(found)}") is None


@given(
    st.lists(
        st.sampled_from([b"--B", b"--", b"\r\n", b"\r\n\r\n", b":", b'"', b"x" * 50, b"\x00"]) | st.binary(max_size=20)
    )
)
def test_a_form_of_any_bytes_is_read_or_refused(pieces: list[bytes]) -> None:
    asyncio.run(read(b"".join(pieces)))
    asyncio.run(read(b"--B\r\n" + b"".join(pieces) + b"\r\n--B--\r\n"))


@given(st.binary(max_size=100).map(lambda text: text.replace(b"\n", b"").replace(b"\r", b"")))
def test_a_boundary_of_any_bytes_is_used_or_refused(boundary: bytes) -> None:
    asyncio.run(read(b"--" + boundary + b"\r\n\r\n", boundary))


def test_a_usual_form_is_read() -> None:
    body = b'--B\r\nContent-Disposition: form-data; name="file"; filename="a b.pdf"\r\n\r\nx\r\n--B--\r\n'
    assert asyncio.run(read(body)) == "a b.pdf"
