"""Forms: only UTF-8 is decoded, and texts, parts and their headers are bounded."""

import time

import httpx
import pytest

from tests.support.stacks.memory_api import MemoryApi

URLENCODED = "application/x-www-form-urlencoded"
URL = {"url": "https://example.com/a.pdf"}


async def post(api: MemoryApi, content: bytes, media_type: str, path: str = "/api/pdf/process-url") -> httpx.Response:
    return await api.client.post(path, content=content, headers={"Content-Type": media_type})


def part(name: str, text: str | bytes, *headers: str) -> bytes:
    lines = [f'Content-Disposition: form-data; name="{name}"', *headers]
    content = text if isinstance(text, bytes) else text.encode()
    return b"--B\r\n" + "\r\n".join(lines).encode() + b"\r\n\r\n" + content + b"\r\n"


def message(reply: httpx.Response, status: int = 400) -> str:
    assert reply.status_code == status, reply.text
    return str(reply.json()["error"]["message"])


@pytest.mark.parametrize("charset", ["punycode", "idna", "utf-16", "utf-7", "latin-1", '"unicode_escape"', "nothing"])
async def test_a_form_of_another_charset_than_utf_8_is_refused_unread(api: MemoryApi, charset: str) -> None:
    body = part("url", "-" + "a" * 60_000) + b"--B--\r\n"
    began = time.perf_counter()
    for content, media_type in ((body, "multipart/form-data"), (b"url=-" + b"a" * 60_000, URLENCODED)):
        reply = await post(api, content, f"{media_type}; charset={charset}; boundary=B")
        assert "must be UTF-8" in message(reply)
    reply = await post(api, b'{"url": "x"}', f"application/json; charset={charset}")
    assert "in UTF-8" in message(reply)
    assert time.perf_counter() - began < 2


async def test_a_content_type_is_short(api: MemoryApi) -> None:
    reply = await post(api, b"url=x", f"{URLENCODED}{';a' * 500}")
    assert "must be UTF-8" in message(reply)


@pytest.mark.parametrize("charset", ["utf-8", "UTF-8", '"utf8"', "us-ascii"])
async def test_utf_8_may_be_named(api: MemoryApi, charset: str) -> None:
    body = part("url", URL["url"], f"Content-Type: text/plain; charset={charset}") + b"--B--\r\n"
    reply = await post(api, body, f"multipart/form-data; charset={charset}; boundary=B")
    assert reply.status_code == 202, reply.text
    reply = await post(api, b"url=https://example.com/a.pdf", f"{URLENCODED}; charset={charset}")
    assert reply.status_code == 202, reply.text


async def test_the_charset_of_a_part_is_utf_8_or_what_libraries_declare_by_default(api: MemoryApi) -> None:
    for charset, allowed in (("ISO-8859-1", True), ("punycode", False)):
        header = f"Content-Type: text/plain; charset={charset}"
        body = part("url", URL["url"], header) + part("jobId", "ü", header) + b"--B--\r\n"
        reply = await post(api, body, "multipart/form-data; boundary=B")
        assert (reply.status_code == 202) is allowed, reply.text
        assert allowed or "charset of a part" in message(reply)


async def test_the_texts_of_a_form_have_one_limit_together(api: MemoryApi) -> None:
    body = b"".join(part(f"a{number}", "x" * 30_000) for number in range(4)) + b"--B--\r\n"
    assert "100,000 bytes" in message(await post(api, body, "multipart/form-data; boundary=B"))


@pytest.mark.parametrize("media_type", ["multipart/form-data; boundary=B", URLENCODED])
async def test_a_form_has_few_fields(api: MemoryApi, media_type: str) -> None:
    parts = b"".join(part(f"a{number}", "x") for number in range(33)) + b"--B--\r\n"
    body = parts if "boundary" in media_type else b"&".join(b"a%d=x" % number for number in range(33))
    assert "Too many fields" in message(await post(api, body, media_type))


async def test_an_urlencoded_form_is_read_as_browsers_write_it(api: MemoryApi) -> None:
    body = "url=https%3A%2F%2Fexample.com%2Fa.pdf&jobId=a+b%C3%BC&template=&&context=%7B%22a%22%3A1%7D"
    reply = await post(api, body.encode(), f"{URLENCODED}; charset=utf-8")
    assert reply.json()["job"]["id"] == "a bü"


@pytest.mark.parametrize("value", ["a\x00b", "a\nb", "a" * 256])
@pytest.mark.parametrize("hook", [{}, {"callback_url": "https://example.com/h"}])
async def test_a_job_id_of_a_form_is_a_label(api: MemoryApi, value: str, hook: dict[str, str]) -> None:
    replies = [
        await api.client.post("/api/pdf/process-url", data={**URL, **hook, "jobId": value}),
        await api.client.post("/api/pdf/process-url", json={**URL, **hook, "jobId": value}),
    ]
    for reply in replies:
        assert reply.json()["error"]["code"] in ("ValidationError", "InvalidRequest"), message(reply)


@pytest.mark.parametrize("context", ["{" * 9, '{"a":NaN}', '{"a":"\\u0000"}', '{"a":' * 101 + "1" + "}" * 101])
async def test_json_in_a_form_is_read_as_strictly_as_a_body(api: MemoryApi, context: str) -> None:
    reply = await api.client.post("/api/pdf/process-url", data={**URL, "context": context})
    assert "context: must be a JSON object: " in message(reply)
