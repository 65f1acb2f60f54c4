"""Texts that callers send: what each type accepts, and the one form in which it is judged, stored and used."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from piperoll.webhooks.origins import origin_of
from schemas.fields import MAX_HOST_BYTES, FileName, Label, Name, Text, Title, WrittenName, is_upload, web_address
from schemas.job_types.parameters import Webhook

FILE = "file-00000000-0000-4000-8000-000000000000"
ONE_LINE = {"label": Label, "name": Name, "text": Text, "file": FileName}
HOSTS = st.text(max_size=300) | st.text("a.-_%[]:@\u3002\uff11\u00df\u202e", max_size=40)


@pytest.mark.parametrize("kind", ONE_LINE)
@pytest.mark.parametrize("control", ["\x00", "\n", "\r", "\t", "\x1b", "\x7f", "\x85", "\ud800"])
def test_a_text_that_names_something_has_no_control_character(kind: str, control: str) -> None:
    adapter = TypeAdapter(ONE_LINE[kind])
    assert adapter.validate_python("/ü \u202eb\u00a0\U0001f600") == "/ü \u202eb\u00a0\U0001f600"
    with pytest.raises(ValidationError):
        adapter.validate_python(f"/a{control}b")


@pytest.mark.parametrize("name", ["..", ".", f"{FILE}\\.", f"{FILE}/..", f"{FILE}/a/b", FILE, ""])
def test_an_upload_is_named_by_its_whole_id_and_a_name(name: str) -> None:
    adapter = TypeAdapter(FileName)
    assert is_upload(adapter.validate_python(f"upload://{FILE}\\a b.pdf"))
    assert not is_upload(adapter.validate_python(f"upload://{name}"))


@pytest.mark.parametrize("kind", [Title, WrittenName])
def test_the_line_ends_of_a_title_are_blanks(kind: type[str]) -> None:
    adapter = TypeAdapter(kind)
    assert adapter.validate_python("On\r\n\tsoil ") == "On soil "
    for refused in ("\n", "On\x00soil", "On\x1bsoil", "\ud800"):
        with pytest.raises(ValidationError):
            adapter.validate_python(refused)


def test_the_file_that_a_session_writes_is_no_upload() -> None:
    with pytest.raises(ValidationError, match="not that of an upload"):
        TypeAdapter(WrittenName).validate_python("upload://..")


@pytest.mark.parametrize(
    ("sent", "used"),
    [
        ("https://Example.com:8443/a?b=%20#c", "https://Example.com:8443/a?b=%20#c"),
        ("https://straße.de/ä", "https://xn--strae-oqa.de/ä"),
        ("http://BÜCHER.example.:80", "http://xn--bcher-kva.example.:80"),
        ("http://127\u30020\u30020\u30021/x", "http://127.0.0.1/x"),
        ("http://\uff11\uff12\uff17.0.0.1/x", "http://127.0.0.1/x"),
        ("http://%31%32%37.0.0.1/x", "http://127.0.0.1/x"),
        ("http://ex\u00e4mple.ex\u00e4mple/ex\u00e4mple", "http://xn--exmple-cua.xn--exmple-cua/ex\u00e4mple"),
        ("http://h\u00fc/h\u00fc", "http://xn--h-eha/h\u00fc"),
        ("http://my_service:8080/", "http://my_service:8080/"),
        ("http://[2606:4700::1111]:80/", "http://[2606:4700::1111]:80/"),
    ],
)
def test_the_host_of_an_address_is_ascii_and_the_rest_stays(sent: str, used: str) -> None:
    assert web_address(sent) == used
    assert web_address(used) == used


@pytest.mark.parametrize(
    "url",
    [
        f"http://{'漢' * 1800}.example/",
        f"http://{'a' * 64}.example/",
        f"http://{'a.' * 127}example/",
        "http://a..b/",
        "http://.b/",
        "http://a%00b/",
        "http://a%2fb/",
        "http://a%40b/",
        "http://{jobId}.example/",
        "http://i\u2764.example/",
        "http://\u202eabc.example/",
        "http://xn--\u00fc/",
        "http://a\\b/",
        "http://user:word@example.com/",
        "http://example.com:0/",
        "ftp://example.com/",
        "http://",
    ],
)
def test_another_host_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match=r"must|invalid"):
        web_address(url)


def test_the_bytes_of_an_address_are_counted_after_normalisation() -> None:
    assert Webhook(url=f"http://a.example/{'a' * 2031}")
    for url in (f"http://a.example/{'a' * 2032}", f"http://a.example/{'ä' * 1020}"):
        with pytest.raises(ValidationError):
            Webhook(url=url)
    assert web_address(f"http://a.example/{'a' * 4000}")


def test_a_webhook_has_the_address_that_is_called() -> None:
    assert Webhook(url="https://straße.de/hook").url == "https://xn--strae-oqa.de/hook"


def test_a_webhook_with_its_job_id_filled_in_has_a_bounded_address() -> None:
    assert Webhook(url="http://a.example/{jobId}", jobId="ä/1").job_id == "ä/1"
    with pytest.raises(ValidationError, match="with the jobId in it"):
        Webhook(url=f"http://a.example/{'{jobId}' * 100}", jobId="ä" * 255)


@given(HOSTS, st.sampled_from(["", ":80", "/a", "?a", "#a"]))
@example("\u0130" * 200, "")
def test_what_is_accepted_has_a_short_ascii_host_and_stays_as_it_is(host: str, rest: str) -> None:
    try:
        url = web_address(f"http://{host}{rest}")
    except ValueError:
        return
    origin = origin_of(url)
    assert origin.isascii()
    assert len(origin) <= MAX_HOST_BYTES + len("http://.:65535")
    assert web_address(url) == url
