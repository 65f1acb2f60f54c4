"""The finished pages of a `pdf` run: a page is finished when the last method has read it."""

from collections.abc import Sequence

from schemas.pages import FinishedPage, MethodText
from services.worker.processors.pdf.plan import TextMethod
from services.worker.processors.pdf.result import UNREADABLE
from services.worker.processors.pdf.texts import PageText, Texts
from services.worker.run.workspace import FinishPage


class FinishedPages:
    """Collects the texts of the methods that are done; `order` is that of the plan."""

    def __init__(self, order: Sequence[TextMethod], finish: FinishPage) -> None:
        self._order = order
        self._finish = finish
        self._read: dict[TextMethod, dict[int, PageText]] = {}

    def add(self, texts: Texts) -> None:
        """Add the texts of a method that has read all pages."""
        self._read[texts.method] = {text.page: text for text in texts.read}

    def read(self, method: TextMethod, number: int, text: PageText | None) -> None:
        """Finish a page that a method has read, None for a broken one, if the other methods are done."""
        if len(self._read) + 1 < len(self._order):
            return
        found = [(one, text if one == method else self._read[one].get(number)) for one in self._order]
        failed = any(page is None and one in UNREADABLE for one, page in found)
        self._finish(FinishedPage.of(number, [_text(one, page) for one, page in found], failed))


def _text(method: TextMethod, page: PageText | None) -> MethodText:
    """The text as the result has it."""
    if page is None:
        return MethodText("", method)
    return MethodText(page.text, method, None if page.score is None else round(page.score, 4))
