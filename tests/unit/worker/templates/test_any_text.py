"""The local rules with any text: they invent nothing, raise nothing and do not slow down."""

import re

from hypothesis import given
from hypothesis import strategies as st

from services.worker.templates.rules import CONCEPTS, extract

WORDS = st.lists(
    st.sampled_from(
        ["Ada", "met", "Bob.", "Why?", "#", "-", "Participants:", "TODO:", "[ ]", "**", "\n", "\n\n", ";", ","]
    )
)

NAMES = st.lists(st.sampled_from([label for concept in CONCEPTS for label in concept.labels]), min_size=1, unique=True)


@given(WORDS, NAMES)
def test_nothing_is_invented_and_the_same_text_gives_the_same(words: list[str], names: list[str]) -> None:
    text = " ".join(words)
    values = extract(names, text)
    assert set(values) == set(names)
    assert extract(names, text) == values
    there = squeezed(text)
    for value in values.values():
        for part in value if isinstance(value, list) else [value]:
            assert squeezed(part) in there


@given(st.text(max_size=400))
def test_every_text_can_be_looked_through(text: str) -> None:
    extract(["summary", "participants", "action_items", "title", "questions", "links", "anything"], text)


def test_a_long_text_without_any_gap_is_looked_through_in_no_time() -> None:
    for piece in ("A. B. ", "**", "a: ", "todo:\n", "- [ ] x\n", "(", "`x ", "# h\n", "--- ", "https://"):
        text = (piece * 100_000)[:100_000]
        extract(["summary", "participants", "action_items", "links", "questions", "title"], text)


def squeezed(text: str) -> str:
    return re.sub(r"[\s*_`#\-]+|\[ \]", "", text)
