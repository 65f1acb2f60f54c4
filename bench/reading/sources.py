"""The words of a source file by category, by means that share nothing with the product's readers."""

from pathlib import Path
from typing import Final
from zipfile import ZipFile, is_zipfile

from bench.reading.markup import decoded, epub_words, html_words
from bench.reading.office import office_words

OFFICE: Final = frozenset({".docx", ".docm", ".pptx", ".pptm", ".ppsx", ".xlsx", ".xlsm"})
PAGES: Final = frozenset({".html", ".htm", ".xhtml"})
TEXTS: Final = frozenset({".txt", ".md", ".csv"})


def words_of(path: Path) -> dict[str, str] | None:
    """Return the text of each category of a file; None for a kind that this does not count.

    Raises what the parsers raise for a damaged file, which cannot be judged.
    """
    suffix = path.suffix.lower()
    if suffix in OFFICE and is_zipfile(path):
        with ZipFile(path) as book:
            return office_words(book)
    if suffix == ".epub" and is_zipfile(path):
        with ZipFile(path) as book:
            return epub_words(book)
    if suffix in PAGES:
        return html_words(path.read_bytes())
    if suffix in TEXTS:
        return {"body": decoded(path.read_bytes())}
    if suffix == ".pdf":
        return {"pages": _pdf_words(path)}
    return None


def _pdf_words(path: Path) -> str:
    """Return the text layer of a PDF within its pages as PDFium reads it; the product reads with MuPDF first."""
    import pypdfium2

    document = pypdfium2.PdfDocument(path)
    try:
        return "\n".join(page.get_textpage().get_text_bounded() for page in document)
    finally:
        document.close()
