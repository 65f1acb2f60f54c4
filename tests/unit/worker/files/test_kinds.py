"""The kind of a file, and what is refused before any library opens it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.errors import ErrorCode
from schemas.formats import Kind
from services.worker.errors import ProcessingError
from services.worker.files.kinds import kind_of, media_type_by

PNG = b"\x89PNG\r\n\x1a\n"

PDF = b"%PDF-1.7\n"

PAGE = b"<!DOCTYPE html><html><body>Words</body></html>"

OFFICE = {"[Content_Types].xml", "_rels/.rels"}


def kind(head: bytes, name: str = "", media_type: str = "") -> Kind:
    return kind_of(head, frozenset(), "", name, media_type)


def refused(
    head: bytes, name: str = "", media_type: str = "", members: frozenset[str] = frozenset()
) -> ProcessingError:
    with pytest.raises(ProcessingError) as caught:
        kind_of(head, members, "", name, media_type)
    return caught.value


@pytest.mark.parametrize(
    ("head", "name", "media_type", "expected"),
    [
        (PDF, "a.pdf", "", Kind.PDF),
        (PDF, "download", "", Kind.PDF),
        (b"\n\n" + PDF, "a.PDF", "", Kind.PDF),
        (PNG, "a.jpg", "", Kind.IMAGE),
        (PNG, "picture", "application/octet-stream", Kind.IMAGE),
        (b"RIFF\x10\0\0\0WEBPVP8 ", "a.webp", "", Kind.IMAGE),
        (b"BM\x10\0\0\0\0\0\0\0" + bytes(20), "a.bmp", "", Kind.IMAGE),
        (b"BMW builds cars", "a", "", Kind.TEXT),
        (b"MZ is the name of a region", "a.txt", "", Kind.TEXT),
        (PAGE, "", "", Kind.HTML),
        (b"<?xml version='1.0'?>\n<!-- a -->\n<html>", "index.php", "text/html; charset=utf-8", Kind.HTML),
        (b"<p>a part of a page</p>", "a.htm", "", Kind.HTML),
        (PAGE, "a.txt", "", Kind.HTML),
        (b"# Title", "a.md", "", Kind.MARKDOWN),
        (b"# Title", "a", "text/markdown", Kind.MARKDOWN),
        (b"a,b\n1,2\n", "a.csv", "", Kind.CSV),
        (b"{}", "a.json", "", Kind.JSON),
        (b"2024-01-01 started", "server.log", "", Kind.TEXT),
        (b"one\x01two", "a.txt", "", Kind.TEXT),
        ("Grüße".encode("utf-16"), "a.txt", "", Kind.TEXT),
    ],
)
def test_a_file_has_the_kind_of_its_content_and_its_name(
    head: bytes, name: str, media_type: str, expected: Kind
) -> None:
    assert kind(head, name, media_type) is expected


@pytest.mark.parametrize(("folder", "expected"), [("word/", Kind.DOCX), ("ppt/", Kind.PPTX), ("xl/", Kind.XLSX)])
def test_an_office_file_is_what_lies_in_it(folder: str, expected: Kind) -> None:
    assert kind_of(b"PK\x03\x04", {*OFFICE, f"{folder}main.xml"}, "", "download", "") is expected


def test_an_epub_is_recognised_by_its_content() -> None:
    assert kind_of(b"PK\x03\x04", {"mimetype"}, "application/epub+zip", "a.epub", "") is Kind.EPUB


@pytest.mark.parametrize(
    ("head", "name", "sentence", "content"),
    [
        (PAGE, "report.pdf", "a PDF", "a web page"),
        (b"just words", "report.pdf", "a PDF", "a text"),
        (PDF, "report.docx", "a Word document", "a PDF"),
        (PDF, "report.txt", "a text", "a PDF"),
        (b"MZ\x90\0\x03", "report.pdf", "a PDF", "a Windows program"),
        (b"\0\1\2\3", "report.txt", "a text", "of no known format"),
        (PNG, "report.html", "a web page", "an image"),
    ],
)
def test_a_file_that_is_not_what_it_is_called_is_refused(head: bytes, name: str, sentence: str, content: str) -> None:
    error = refused(head, name)
    assert error.code is ErrorCode.INVALID_DOCUMENT
    assert sentence in error.message
    assert f"its content is {content}" in error.message


@pytest.mark.parametrize(
    ("head", "name", "media_type", "words"),
    [
        (b"MZ\x90\0\x03", "setup.exe", "", ".exe, a Windows program"),
        (b"\x7fELF\x02\x01\x01\0", "run", "", "a Linux program"),
        (b"\x1f\x8b\x08\0", "a.gz", "", ".gz, a gzip archive"),
        (b"{\\rtf1 words}", "a.rtf", "", ".rtf, a Rich Text document"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "a.doc", "", ".doc, an Office file in the format before 2007"),
        (b"RIFF\x10\0\0\0WAVEfmt ", "a.wav", "", "create a transcription job"),
        (b"anything", "talk", "video/mp4", "create a transcription job"),
        (b"\0\1\2\3", "model.bin", "", ".bin"),
        (b"\0\1\2\3", "thing", "application/x-thing", "application/x-thing"),
    ],
)
def test_a_type_that_no_job_reads_is_named(head: bytes, name: str, media_type: str, words: str) -> None:
    error = refused(head, name, media_type)
    assert error.code is ErrorCode.UNSUPPORTED_FILE_TYPE
    assert words in error.message
    assert ".docx" in error.message
    assert ".mp3" not in error.message.partition("Supported are")[2]


def test_a_zip_of_anything_else_is_not_supported() -> None:
    error = refused(b"PK\x03\x04", "a.zip", members=frozenset({"a.txt"}))
    assert error.code is ErrorCode.UNSUPPORTED_FILE_TYPE
    assert ".zip, a ZIP archive" in error.message


def test_an_empty_file_is_refused() -> None:
    assert refused(b"", "a.pdf").code is ErrorCode.INVALID_DOCUMENT


@given(st.binary(min_size=1, max_size=64), st.sampled_from(["", "a.pdf", "a.docx", "a.txt", "a.png", "a.xyz"]))
def test_whatever_the_bytes_there_is_a_kind_or_a_reason(head: bytes, name: str) -> None:
    code = None
    try:
        assert media_type_by(kind(head, name), name, head)
    except ProcessingError as error:
        code = error.code
    assert code in (None, ErrorCode.INVALID_DOCUMENT, ErrorCode.UNSUPPORTED_FILE_TYPE)


@pytest.mark.parametrize(
    ("found", "name", "head", "expected"),
    [
        (Kind.PDF, "download", PDF, "application/pdf"),
        (Kind.IMAGE, "a.jpeg", b"\xff\xd8\xff", "image/jpeg"),
        (Kind.IMAGE, "scan", b"II*\0", "image/tiff"),
        (Kind.IMAGE, "scan", b"RIFF\x10\0\0\0WEBP", "image/webp"),
        (Kind.HTML, "a.txt", PAGE, "text/html"),
        (Kind.TEXT, "server.log", b"x", "text/plain"),
        (Kind.MARKDOWN, "a.md", b"x", "text/markdown"),
    ],
)
def test_a_media_type_follows_from_the_kind(found: Kind, name: str, head: bytes, expected: str) -> None:
    assert media_type_by(found, name, head) == expected
