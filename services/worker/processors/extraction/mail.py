"""E-mails, and web pages that were saved as messages."""

from typing import Final

from schemas.formats import OF_KIND, Kind
from services.worker.files.sources import Source
from services.worker.mail.parts import header, parsed
from services.worker.mail.reader import MailReader
from services.worker.markup.page import TITLE_CHARS, Page
from services.worker.processors.extraction.markup import bounded_page, whole
from services.worker.processors.extraction.parts import ExtractedText, TextLimit, TextPart, reading

MAX_MESSAGE_BYTES: Final = 100 * 1024 * 1024
"""A message is read into memory with its attachments, three times as large at most."""


def read_mail(source: Source) -> ExtractedText:
    """Return a message's headers and words, and a list of its attachments. Raises ProcessingError FILE_TOO_LARGE."""
    with reading(OF_KIND[Kind.MAIL].name):
        message = parsed(whole(source, MAX_MESSAGE_BYTES))
        reader = MailReader(bounded_page)
        page = Page(header(message, "Subject")[:TITLE_CHARS], tuple(reader.blocks(message)))
    return _extracted(page, reader)


def read_web_archive(source: Source) -> ExtractedText:
    """Return the page in a web archive (RFC 2557). Raises ProcessingError FILE_TOO_LARGE."""
    with reading(OF_KIND[Kind.WEB_ARCHIVE].name):
        reader = MailReader(bounded_page)
        page = reader.archive(parsed(whole(source, MAX_MESSAGE_BYTES)))
    return _extracted(page, reader)


def _extracted(page: Page, reader: MailReader) -> ExtractedText:
    part = TextLimit().part(TextPart.of(page.blocks))
    return ExtractedText((part,), "native", title=page.title, markdown=True, notes=reader.notes)
