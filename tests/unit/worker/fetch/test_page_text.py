"""A page as text: everything that a visitor reads, block by block."""

import pytest

from services.worker.fetch.web_text import page_text


def test_blocks_become_lines_and_words_within_a_block_stay_together():
    page = b"""<!doctype html><html><head><title>The talk</title><style>p {}</style></head><body>
      <nav>Home</nav><h1>Soil &amp; seeds</h1><p>A <b>bold</b> claim,
      on two lines.<br>Next line</p><ul><li>One<li>Two</ul><script>no()</script>End</body></html>"""
    assert page_text(page).split("\n") == [
        "The talk", "Home", "Soil & seeds", "A bold claim, on two lines.", "Next line", "One", "Two", "End",
    ]  # fmt: skip


@pytest.mark.parametrize("page", [b"", b"  \n", b"<!-- nothing -->", b"<script>x()</script>", b"<html><body></body>"])
def test_a_page_without_words_is_empty(page):
    assert page_text(page) == ""


def test_what_follows_a_comment_or_a_script_is_kept():
    assert page_text(b"<p>a<!-- x --> b<script>c</script> d</p>") == "a b d"


@pytest.mark.parametrize(
    ("content", "charset"),
    [
        ("Grüße".encode(), None),
        ("Grüße".encode(), "utf-8"),
        ("Grüße".encode(), "no-such-charset"),
        ("Grüße".encode(), "hex"),
        ("Grüße".encode("latin-1"), "iso-8859-1"),
        ('<meta charset="windows-1252">Grüße'.encode("cp1252"), None),
    ],
)
def test_letters_are_right_in_whatever_charset_the_page_is(content, charset):
    assert page_text(content, charset) == "Grüße"


def test_a_page_that_nests_without_end_is_read_as_far_as_it_goes():
    assert page_text(b"<p>first</p>" + b"<div>" * 50_000).startswith("first")


def test_bytes_that_are_not_text_do_no_harm():
    assert isinstance(page_text(bytes(range(256)) * 100), str)
