"""The kind of a file, and what is refused before any library opens it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.errors import ErrorCode
from schemas.formats import Kind
from services.worker.errors import ProcessingError
from services.worker.files.kinds import kind_of, media_type_by

OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"

PNG = b"\x89PNG\r\n\x1a\n"

PDF = b"%PDF-1.7\n"

MAIL = b"From: a@example.com\nDate: today\nSubject: words\n\nbody"

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
        (PDF, "download", "text/plain", Kind.PDF),
        (PDF, "download", "text/html; charset=utf-8", Kind.PDF),
        (PDF, "download", "application/octet-stream", Kind.PDF),
        (PDF, "download", "video/mp4", Kind.PDF),
        (b"HTTP/1.1 200 OK\n\n%PDF-1.4\n1 0 obj", "a", "", Kind.PDF),
        (b"A PDF begins with the bytes %PDF-1.4 and ends so.", "a.txt", "", Kind.TEXT),
        (b"%PDF-1.4 is the first line of a PDF.", "a.txt", "", Kind.TEXT),
        (b"# A PDF\n\nIt begins with\n%PDF-1.4\n1 0 obj", "a.md", "", Kind.MARKDOWN),
        (b"A PDF begins with %PDF-1.4.", "notes", "", Kind.TEXT),
        (b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", "a", "", Kind.IMAGE),
        (b"\0\0\0\x18ftypmif1\0\0\0\0mif1avif", "a.heif", "", Kind.IMAGE),
        (b"\0\0\0\x18ftypavif\0\0\0\0mif1", "a.avif", "", Kind.IMAGE),
        (MAIL, "a.eml", "", Kind.MAIL),
        (MAIL, "download", "application/octet-stream", Kind.MAIL),
        (MAIL, "a.txt", "", Kind.TEXT),
        (b"To: the reader\nA note: one\n", "note", "", Kind.TEXT),
        (b"<?xml version='1.0'?><!-- a --><svg xmlns='x'>", "a", "", Kind.SVG),
        (b"<svg/>", "a.svg", "", Kind.SVG),
        (b"{\\rtf1 words}", "a.rtf", "", Kind.RTF),
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


@pytest.mark.parametrize(
    ("streams", "words"),
    [
        ({"WordDocument", "1Table"}, "a Word document in the format before 2007 (DOC): save it as DOCX"),
        ({"PowerPoint Document"}, "save it as PPTX"),
        ({"__properties_version1.0"}, "an Outlook message (MSG): save it as EML"),
    ],
)
def test_an_ole_container_is_named_by_its_streams(streams: set[str], words: str) -> None:
    assert words in refused(OLE, "a.bin", members=frozenset(streams)).message


def test_a_workbook_in_an_ole_container_is_read() -> None:
    assert kind_of(OLE, {"Workbook"}, "", "download", "") is Kind.BINARY_SHEET


def test_an_open_document_and_a_binary_workbook_are_recognised_by_their_members() -> None:
    text = "application/vnd.oasis.opendocument.text"
    assert kind_of(b"PK\x03\x04", {"mimetype"}, text, "a", "") is Kind.OPEN_DOCUMENT
    assert kind_of(b"PK\x03\x04", {"content.xml", "META-INF/manifest.xml"}, "", "a", "") is Kind.OPEN_DOCUMENT
    assert kind_of(b"PK\x03\x04", {*OFFICE, "xl/workbook.bin"}, "", "a.xlsb", "") is Kind.BINARY_SHEET


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
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "a.doc", "", ".doc, an Office file in the format before 2007"),
        (b"<?xml version='1.0'?>\n<?mso-application progid='Excel.Sheet'?>", "a", "", "save it as DOCX or XLSX"),
        (b"\0\0\0\x18ftypcrx \0\0\0\1", "a.cr3", "", "a raw picture of a camera: save it as JPEG"),
        (b"\0\0\0\x18ftypM4A \0\0\0\1", "a", "", "create a transcription job"),
        (b"\0\0\0\x18ftypzzzz\0\0\0\1", "a", "", "a media file of an unknown brand"),
        (b"\1\0\2\3", "a.key", "", "a document of Pages, Numbers or Keynote: export it as PDF"),
        (b"%!PS-Adobe-3.0", "a.eps", "", "a PostScript document: save it as PDF"),
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
        (Kind.IMAGE, "scan", b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", "image/heic"),
        (Kind.IMAGE, "scan", b"\0\0\0\x18ftypavif\0\0\0\0mif1", "image/avif"),
        (
            Kind.OPEN_DOCUMENT,
            "a",
            b"PK\3\4mimetypeapplication/vnd.oasis.opendocument.spreadsheetPK",
            "application/vnd.oasis.opendocument.spreadsheet",
        ),
        (Kind.HTML, "a.txt", PAGE, "text/html"),
        (Kind.TEXT, "server.log", b"x", "text/plain"),
        (Kind.MARKDOWN, "a.md", b"x", "text/markdown"),
    ],
)
def test_a_media_type_follows_from_the_kind(found: Kind, name: str, head: bytes, expected: str) -> None:
    assert media_type_by(found, name, head) == expected
