"""Pages and texts in the charset that their server declares."""

import time
from pathlib import Path

import pytest

from services.worker.fetch.download import Download
from services.worker.fetch.readable import readable_text

LONG = b"-" + b"a" * 1_000_000


def read(folder: Path, content: bytes, charset: str, media_type: str = "text/plain") -> str:
    page = folder / "page"
    page.write_bytes(content)
    return readable_text(Download(page, "http://example.com/", media_type, charset, "page", len(content)))


@pytest.mark.parametrize("charset", ["punycode", "PunyCode", "idna", "unicode_escape", "raw_unicode_escape"])
@pytest.mark.parametrize("media_type", ["text/plain", "text/html"])
def test_a_charset_that_no_text_is_in_is_not_decoded(tmp_path: Path, charset: str, media_type: str) -> None:
    began = time.process_time()
    assert read(tmp_path, LONG, charset, media_type).strip() == LONG.decode()
    assert time.process_time() - began < 5


@pytest.mark.parametrize("charset", ["iso-8859-1", "windows-1252", "utf-16"])
def test_a_text_is_decoded_by_its_charset(tmp_path: Path, charset: str) -> None:
    assert read(tmp_path, "Grüße".encode(charset), charset) == "Grüße"


@pytest.mark.parametrize("charset", ["no-such-charset", "hex", "a\x00b", ""])
def test_a_text_of_no_known_charset_is_read_as_utf_8(tmp_path: Path, charset: str) -> None:
    assert read(tmp_path, "Grüße".encode(), charset) == "Grüße"
