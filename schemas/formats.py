"""What an extraction reads, how well, and what it refuses: the one declaration. Pure tables.

Detection, the sentences of refusals, the media types of names, and `GET /api/formats` are made from it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final


class Kind(StrEnum):
    """The kinds of files that an extraction reads."""

    PDF = "pdf"
    DOCX = "docx"
    PPTX = "pptx"
    XLSX = "xlsx"
    OPEN_DOCUMENT = "opendocument"
    BINARY_SHEET = "binary_sheet"
    RTF = "rtf"
    EPUB = "epub"
    HTML = "html"
    WEB_ARCHIVE = "web_archive"
    MAIL = "mail"
    SVG = "svg"
    IMAGE = "image"
    MARKDOWN = "markdown"
    CSV = "csv"
    JSON = "json"
    TEXT = "text"


class Gives(StrEnum):
    """What is kept of a file besides its words."""

    STRUCTURE = "structure"
    """Headings, paragraphs and lists."""
    TABLES = "tables"
    """Tables with their merged cells."""
    OCR = "ocr"
    """Text in pictures of pages."""
    NET = "missing_words_are_named"
    """Words that were not read are named in `warnings`, with their place."""


@dataclass(frozen=True, slots=True)
class Format:
    """A kind of file that is read.

    `name` with its article, for sentences. `endings`: media types by ending, in lower case. `also`: further media types
    that servers send. `unit`: what `pageCount` counts, None where a file has no pages. `limits`: sentences about what
    is not read.
    """

    kind: Kind
    name: str
    endings: Mapping[str, str]
    gives: frozenset[Gives] = frozenset()
    unit: str | None = None
    also: frozenset[str] = frozenset()
    limits: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Refused:
    """A kind of file that is not read: its name with its article, its endings and media types, and what to do."""

    name: str
    endings: tuple[str, ...]
    advice: str
    media_types: frozenset[str] = field(default_factory=frozenset)

    @property
    def phrase(self) -> str:
        """The end of a sentence that refuses the file."""
        return f"{self.name}: {self.advice}" if self.advice else self.name


OFFICE: Final = "application/vnd.openxmlformats-officedocument"
MACROS: Final = "macroEnabled.12"
OASIS: Final = "application/vnd.oasis.opendocument"
STRUCTURED: Final = frozenset({Gives.STRUCTURE, Gives.TABLES})
NETTED: Final = STRUCTURED | {Gives.NET}
PICTURES: Final = "Pictures are not read; the words that describe them are."

FORMATS: Final = (
    Format(
        Kind.PDF,
        "a PDF",
        {".pdf": "application/pdf"},
        STRUCTURED | {Gives.OCR},
        "page",
        frozenset({"application/x-pdf"}),
        (
            "Headings and tables of PDFs stand in `output`, not in the plain text.",
            "Embedded files are named, not read.",
        ),
    ),
    Format(
        Kind.DOCX,
        "a Word document (DOCX)",
        {
            ".docx": f"{OFFICE}.wordprocessingml.document",
            ".docm": f"application/vnd.ms-word.document.{MACROS}",
            ".dotx": f"{OFFICE}.wordprocessingml.template",
            ".dotm": f"application/vnd.ms-word.template.{MACROS}",
        },
        NETTED,
        limits=(PICTURES, "Embedded files are named, not read."),
    ),
    Format(
        Kind.PPTX,
        "a presentation (PPTX)",
        {
            ".pptx": f"{OFFICE}.presentationml.presentation",
            ".pptm": f"application/vnd.ms-powerpoint.presentation.{MACROS}",
            ".ppsx": f"{OFFICE}.presentationml.slideshow",
            ".ppsm": f"application/vnd.ms-powerpoint.slideshow.{MACROS}",
            ".potx": f"{OFFICE}.presentationml.template",
            ".potm": f"application/vnd.ms-powerpoint.template.{MACROS}",
        },
        NETTED,
        "slide",
        limits=(PICTURES,),
    ),
    Format(
        Kind.XLSX,
        "a spreadsheet (XLSX)",
        {
            ".xlsx": f"{OFFICE}.spreadsheetml.sheet",
            ".xlsm": f"application/vnd.ms-excel.sheet.{MACROS}",
            ".xltx": f"{OFFICE}.spreadsheetml.template",
            ".xltm": f"application/vnd.ms-excel.template.{MACROS}",
        },
        NETTED,
        "sheet",
        limits=("A formula without a stored result is given as it is.",),
    ),
    Format(
        Kind.OPEN_DOCUMENT,
        "an OpenDocument file",
        {
            ".odt": f"{OASIS}.text",
            ".ott": f"{OASIS}.text-template",
            ".ods": f"{OASIS}.spreadsheet",
            ".ots": f"{OASIS}.spreadsheet-template",
            ".odp": f"{OASIS}.presentation",
            ".otp": f"{OASIS}.presentation-template",
            ".odg": f"{OASIS}.graphics",
            ".otg": f"{OASIS}.graphics-template",
        },
        NETTED,
        limits=(PICTURES, "Headers and footers of spreadsheets and presentations are not read."),
    ),
    Format(
        Kind.BINARY_SHEET,
        "a binary spreadsheet (XLS, XLSB)",
        {
            ".xls": "application/vnd.ms-excel",
            ".xlsb": f"application/vnd.ms-excel.sheet.binary.{MACROS}",
        },
        frozenset({Gives.TABLES}),
        "sheet",
        limits=(
            "Numbers are given without their formats, and merged cells one by one.",
            "Comments, charts and text boxes are not read.",
        ),
    ),
    Format(
        Kind.RTF,
        "a Rich Text document (RTF)",
        {".rtf": "application/rtf"},
        STRUCTURED,
        also=frozenset({"text/rtf", "application/x-rtf", "text/richtext"}),
        limits=("Merged cells are given one by one.", "Pictures and embedded objects are not read."),
    ),
    Format(
        Kind.EPUB,
        "an EPUB",
        {".epub": "application/epub+zip"},
        NETTED,
        "chapter",
        limits=(PICTURES,),
    ),
    Format(
        Kind.HTML,
        "a web page (HTML)",
        {".html": "text/html", ".htm": "text/html", ".xhtml": "application/xhtml+xml"},
        NETTED,
        limits=(PICTURES, "Scripts are not run."),
    ),
    Format(
        Kind.WEB_ARCHIVE,
        "a saved web page (MHT)",
        {".mht": "multipart/related", ".mhtml": "multipart/related"},
        NETTED,
        also=frozenset({"message/mhtml", "application/x-mimearchive"}),
        limits=(PICTURES,),
    ),
    Format(
        Kind.MAIL,
        "an e-mail (EML)",
        {".eml": "message/rfc822"},
        NETTED,
        limits=("Attachments are listed by name and size, and not read; attached e-mails are read.",),
    ),
    Format(
        Kind.SVG,
        "a drawing (SVG)",
        {".svg": "image/svg+xml"},
        frozenset({Gives.NET}),
        limits=("Only texts, titles and descriptions are read.",),
    ),
    Format(
        Kind.IMAGE,
        "an image",
        {
            ".png": "image/png",
            ".jpg": "image/jpeg",
            ".jpeg": "image/jpeg",
            ".tif": "image/tiff",
            ".tiff": "image/tiff",
            ".webp": "image/webp",
            ".bmp": "image/bmp",
            ".gif": "image/gif",
            ".heic": "image/heic",
            ".heif": "image/heif",
            ".avif": "image/avif",
        },
        frozenset({Gives.OCR}),
        "image",
        limits=("Of an animation the first picture is read, of a TIFF every page.",),
    ),
    Format(Kind.MARKDOWN, "Markdown", {".md": "text/markdown", ".markdown": "text/markdown"}, STRUCTURED),
    Format(Kind.CSV, "a table (CSV)", {".csv": "text/csv"}, limits=("The text stays as it is.",)),
    Format(Kind.JSON, "JSON", {".json": "application/json"}, limits=("The text stays as it is.",)),
    Format(Kind.TEXT, "a text", {".txt": "text/plain"}, limits=("The text stays as it is.",)),
)
"""What is read. The first ending of a kind is its usual one."""

SOUND: Final = Refused(
    "audio or video",
    (".wav", ".mp3", ".m4a", ".ogg", ".opus", ".flac", ".mp4", ".mov", ".webm", ".mkv"),
    "create a transcription job for it",
)
OLD_WORD: Final = Refused(
    "a Word document in the format before 2007 (DOC)",
    (".doc", ".dot"),
    "save it as DOCX",
    frozenset({"application/msword"}),
)
OLD_SLIDES: Final = Refused(
    "a presentation in the format before 2007 (PPT)",
    (".ppt", ".pps", ".pot"),
    "save it as PPTX",
    frozenset({"application/vnd.ms-powerpoint"}),
)
OUTLOOK: Final = Refused(
    "an Outlook message (MSG)",
    (".msg",),
    "save it as EML, or forward it as an attachment",
    frozenset({"application/vnd.ms-outlook"}),
)
OLD_OFFICE: Final = Refused(
    "an Office file in the format before 2007, of no known kind", (), "save it as DOCX, PPTX, XLSX or PDF"
)
OFFICE_2003: Final = Refused("an Office file in the XML format of 2003", (), "save it as DOCX or XLSX")
POSTSCRIPT: Final = Refused(
    "a PostScript document", (".ps", ".eps"), "save it as PDF", frozenset({"application/postscript"})
)
ZIPPED: Final = Refused(
    "a ZIP archive that is neither Office nor EPUB",
    (".zip",),
    "unpack it and send its files",
    frozenset({"application/zip"}),
)
CAMERA: Final = Refused("a raw picture of a camera", (".cr3", ".crx"), "save it as JPEG")
MEDIA_BOX: Final = Refused("a media file of an unknown brand", (), "save it in a format that is read")
APPLE: Final = Refused(
    "a document of Pages, Numbers or Keynote", (".pages", ".numbers", ".key"), "export it as PDF or in Office's format"
)
BOOK: Final = Refused("a Kindle book (MOBI)", (".mobi", ".azw", ".azw3"), "save it as EPUB")
DJVU: Final = Refused("a DjVu document", (".djvu", ".djv"), "save it as PDF", frozenset({"image/vnd.djvu"}))
JPEG_2000: Final = Refused("a JPEG 2000 or JPEG XL image", (".jp2", ".jxl"), "save it as PNG or JPEG")
PACKED: Final = "unpack it and send its files"
WINDOWS_PROGRAM: Final = Refused("a Windows program", (".exe", ".dll"), "")
LINUX_PROGRAM: Final = Refused("a Linux program", (), "")
GZIP: Final = Refused("a gzip archive", (".gz", ".tgz", ".svgz"), PACKED)
BZIP2: Final = Refused("a bzip2 archive", (".bz2",), PACKED)
XZ: Final = Refused("an xz archive", (".xz",), PACKED)
SEVEN_ZIP: Final = Refused("a 7-Zip archive", (".7z",), PACKED)
RAR: Final = Refused("a RAR archive", (".rar",), PACKED)

REFUSED: Final = (
    SOUND, OLD_WORD, OLD_SLIDES, OUTLOOK, OLD_OFFICE, OFFICE_2003, POSTSCRIPT, ZIPPED, APPLE, BOOK, DJVU, JPEG_2000,
    CAMERA, MEDIA_BOX, GZIP, BZIP2, XZ, SEVEN_ZIP, RAR, WINDOWS_PROGRAM, LINUX_PROGRAM,
)  # fmt: skip
"""What is refused. Files whose content is none of these and none of FORMATS are refused without a name."""

OF_KIND: Final[Mapping[Kind, Format]] = {one.kind: one for one in FORMATS}
