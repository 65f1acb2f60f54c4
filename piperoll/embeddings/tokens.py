"""Where the tokens of a text begin, by the tokenizer of the local model; counts of other models differ by some percent.

It is loaded with the first text and stays loaded.
"""

from collections.abc import Iterator
from functools import cache
from typing import TYPE_CHECKING, Final

from piperoll.embeddings.local import tokenizer_file

if TYPE_CHECKING:
    from tokenizers import Tokenizer

LONGEST: Final = 16
"""Characters of a token at most. WordPiece takes a word of over 100 characters as one unknown token."""
USUAL: Final = 4
"""Characters of a token in a longer one: the usual length in English."""
MODEL: Final = "all-MiniLM-L6-v2"


def token_starts(text: str) -> list[int]:
    """Return the positions in `text` at which tokens begin, ascending, each once. Raises EmbeddingUnavailableError."""
    starts: list[int] = []
    for begin, end in _tokenizer().encode(text, add_special_tokens=False).offsets:
        starts += [start for start in _parts(begin, end) if not starts or start > starts[-1]]
    return starts


def _parts(begin: int, end: int) -> Iterator[int]:
    yield from range(begin, end, USUAL) if end - begin > LONGEST else (begin,)


@cache
def _tokenizer() -> "Tokenizer":
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(tokenizer_file()))
    tokenizer.no_truncation()
    tokenizer.no_padding()
    return tokenizer
