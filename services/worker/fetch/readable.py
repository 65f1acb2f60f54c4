"""The readable text of a fetched web page: its article without menus and small print, or the parts that are selected.

Fetches nothing. A page without words is an error, never an empty text that is taken for a result.
"""

from cssselect import SelectorError
from lxml import etree, html

from schemas.errors import ErrorCode
from services.worker.errors import ProcessingError
from services.worker.fetch.download import Fetched
from services.worker.fetch.page_text import page_text

MAX_PAGE_BYTES = 20 * 1024 * 1024  # a page is read whole into memory, and its tree takes ten times as much
PAGES = ("text/html", "application/xhtml+xml", "")
PLAIN = ("text/plain", "text/markdown")


def readable_text(page: Fetched, selector: str | None = None) -> str:
    """The text of a page, as Markdown where it is an article's; a plain text file is taken as it is.

    Raises ProcessingError URL_TRANSFORMATION_ERROR for another type of file, and for a page without text.
    """
    content = page.path.read_bytes()
    told = _decoded(content, page.charset)
    if page.media_type in PLAIN:
        text = told if told is not None else content.decode(errors="replace")
    elif page.media_type not in PAGES:
        raise _unreadable(f"The url leads to {page.media_type[:80]}, which is no web page: a page or a text is needed.")
    else:
        content, charset = (content, None) if told is None else (told.encode(), "utf-8")
        text = _selected(content, selector, charset) if selector else _article(content, charset, page.url)
    if not text.strip():
        raise _unreadable("The page behind the url holds no text that can be read.")
    return text.strip()


def _decoded(content: bytes, charset: str | None) -> str | None:
    """The text in the charset that the server names; None when it names none, or none that there is."""
    try:
        return content.decode(charset, errors="replace") if charset else None
    except (LookupError, ValueError):
        return None


def _article(content: bytes, charset: str | None, url: str) -> str:
    """The main text by trafilatura; of a page that is no article, all of its words."""
    import trafilatura  # takes half a second and is needed by few jobs

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
        raise _unreadable(f"container_selector is no CSS selector that can be used: {selector[:80]!r}.") from error
    if not parts:
        raise _unreadable(f"Nothing on the page matches the container_selector {selector[:80]!r}.")
    chosen = set(parts)
    outermost = [part for part in parts if chosen.isdisjoint(part.iterancestors())]
    return "\n\n".join(
        page_text(etree.tostring(part, encoding="utf-8", with_tail=False), "utf-8") for part in outermost
    )


def _unreadable(message: str) -> ProcessingError:
    return ProcessingError(ErrorCode.URL_TRANSFORMATION_ERROR, message)
