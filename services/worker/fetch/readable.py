"""The readable text of a downloaded web page: its main article, or the parts matched by a CSS selector."""

from cssselect import SelectorError
from lxml import etree, html

from schemas.errors import ErrorCode
from services.worker.characters.labels import codec_of
from services.worker.characters.reading import read
from services.worker.errors import ProcessingError
from services.worker.fetch.download import Download
from services.worker.fetch.web_text import page_text

MAX_PAGE_BYTES = 20 * 1024 * 1024  # a page is read into memory, and its tree takes ten times as much
PAGES = ("text/html", "application/xhtml+xml", "")
PLAIN = ("text/plain", "text/markdown")


def readable_text(page: Download, selector: str | None = None) -> str:
    """Return the text of a page, an article as Markdown; a plain text file unchanged.

    Raises ProcessingError URL_TRANSFORMATION_ERROR for other types of files and for a page without text.
    """
    content = page.path.read_bytes()
    known = _decoded(content, page.charset)
    if page.media_type in PLAIN:
        text = known if known is not None else content.decode(errors="replace")
    elif page.media_type not in PAGES:
        raise _unreadable(f"The url returns {page.media_type[:80]}, but a web page or a text is needed.")
    else:
        content, charset = (content, None) if known is None else (known.encode(), "utf-8")
        text = _selected(content, selector, charset) if selector else _article(content, charset, page.url)
    if not text.strip():
        raise _unreadable("The page at the url contains no readable text.")
    return text.strip()


def _decoded(content: bytes, charset: str | None) -> str | None:
    """Decode by the charset that the server declares; None when it declares none or an unknown one."""
    return read(content, [charset]).text if charset and codec_of(charset) else None


def _article(content: bytes, charset: str | None, url: str) -> str:
    """Return the main text by trafilatura; for a page without an article, all of its text."""
    import trafilatura  # its import takes half a second

    page = content.decode() if charset else content
    found = trafilatura.extract(page, url=url, output_format="markdown", include_comments=False)
    return found or page_text(content, charset)


def _selected(content: bytes, selector: str, charset: str | None) -> str:
    try:
        root = html.document_fromstring(content, parser=html.HTMLParser(encoding=charset))
        parts = root.cssselect(selector)
    except (etree.ParserError, etree.XMLSyntaxError):
        return ""
    except (SelectorError, etree.XPathError) as error:
        raise _unreadable(f"container_selector is not a valid CSS selector: {selector[:80]!r}.") from error
    if not parts:
        raise _unreadable(f"Nothing on the page matches the container_selector {selector[:80]!r}.")
    chosen = set(parts)
    outermost = [part for part in parts if chosen.isdisjoint(part.iterancestors())]
    return "\n\n".join(
        page_text(etree.tostring(part, encoding="utf-8", with_tail=False), "utf-8") for part in outermost
    )


def _unreadable(message: str) -> ProcessingError:
    return ProcessingError(ErrorCode.URL_TRANSFORMATION_ERROR, message)
