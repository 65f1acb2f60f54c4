"""The words by which jobs are found: how a text is split, in a job and in a search alike. Pure.

A word is a run of letters and digits, in lower case and without accents. Chinese and Japanese are written without
spaces: each of their characters is a word.
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator

LONGEST = 64  # characters of a word; the rest is left out, in a search too
MOST_ASKED = 16  # words of a search; more would only make it slower

_UNSPACED = "\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
_WORD = re.compile(f"[{_UNSPACED}]|[^\\W_{_UNSPACED}]+")


def words_of(text: str) -> Iterator[str]:
    """Yield the words of a text in their order."""
    for found in _WORD.finditer(_without_accents(text).casefold()):
        yield found.group()[:LONGEST]


def _without_accents(text: str) -> str:
    if text.isascii():  # most are, and this is ten times as fast
        return text
    return "".join(one for one in unicodedata.normalize("NFKD", text) if not unicodedata.combining(one))


def distinct_words(texts: Iterable[str], most: int) -> list[str]:
    """Return the first `most` different words of some texts."""
    found: dict[str, None] = {}
    for text in texts:
        for word in words_of(text):
            found[word] = None
            if len(found) >= most:
                return list(found)
    return list(found)


def asked_words(text: str) -> str:
    """Return a search as Postgres takes it (`tsquery`): each word must be the beginning of one of the job's words.

    A text without a word gives an empty search, which finds nothing.
    """
    return " & ".join(f"{word}:*" for word in distinct_words([text], MOST_ASKED))
