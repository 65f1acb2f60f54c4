"""Templates and documents of any text: a result, or an error of the job's input."""

import string

from hypothesis import example, given
from hypothesis import strategies as st

from services.worker.blocks.markdown import markdown
from services.worker.errors import ProcessingError
from services.worker.fetch.web_text import page_text
from services.worker.files.kinds import kind_of
from services.worker.markup.page import read_page
from services.worker.processors.extraction.markup import first_heading
from services.worker.processors.session.layout import Layout
from services.worker.processors.session.slides import slides, table
from services.worker.templates import engine

MARKS = st.sampled_from(
    ["{{", "}}", "|", "---\n", "\n---\n", "--- systemprompt\n", "key:", '"', "a", "{", "}", "\n", "\r\n", "{{a|b}}"]
)
PIECES = st.lists(MARKS | st.text(max_size=8), max_size=40).map("".join)
TAGS = st.sampled_from(
    ["p", "table", "tr", "td", "ul", "ol start=x", "li", "pre", "h1", "a href=//[", "svg", "template"]
)
MARKUP = st.lists(
    st.one_of(
        TAGS.map("<{}>".format),
        TAGS.map("</{}>".format),
        st.sampled_from(["<!--", "-->", "<![CDATA[", "]]>", "<!DOCTYPE", "&#x110000;", "&#0;", "<?xml", "<", "\x00"]),
        st.text(max_size=8),
    ),
    max_size=40,
).map("".join)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=5,
)


@given(PIECES, st.dictionaries(st.sampled_from(["a", "b", "key", "tags"]), VALUES), st.text(max_size=40))
@example("---\n---\n", {}, "")
def test_a_template_is_rendered_or_refused(content: str, given: dict[str, object], text: str) -> None:
    try:
        template = engine.parse(content)
    except ProcessingError as error:
        assert not error.retryable  # noqa: PT017 - another attempt gets the same template
        return
    rendered = engine.render(template, given, given, text)
    if template.front is None and "{{" not in template.body:
        assert rendered == template.body


@given(MARKUP)
def test_markup_is_read_as_text(content: str) -> None:
    page = read_page(content)
    first_heading(markdown(page.blocks))
    page_text(content.encode("utf-8", "surrogatepass"))
    assert "<script" not in page.title


@given(st.binary(max_size=200), st.text(string.printable, max_size=20), st.text(max_size=20))
def test_the_kind_of_any_bytes_is_known_or_refused(head: bytes, name: str, declared: str) -> None:
    try:
        kind_of(head, ("word/document.xml",), "", name, declared)
    except ProcessingError as error:
        assert not error.retryable  # noqa: PT017


@given(st.dictionaries(st.integers(1, 9), PIECES, max_size=4), VALUES)
def test_slides_are_made_of_any_pages_and_any_answer_of_a_model(texts: dict[int, str], answer: object) -> None:
    made = slides(texts, {}, answer)
    assert len(made) == len(texts)
    assert table(made).count("\n") <= 2 + len(made)


@given(st.text(max_size=300), st.text(max_size=300))
def test_the_names_of_a_session_stay_in_its_folder(event: str, file: str) -> None:
    markdown = Layout.of(event, "de", file, file).markdown
    assert all(part not in ("", ".", "..") for part in markdown.split("/"))
