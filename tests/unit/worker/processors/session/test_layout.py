"""Names and places of a session's files: safe on any file system, the same in the folder and in the archive."""

import posixpath
from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from piperoll.store.blobs import Blobs
from services.worker.processors.session import layout as session_layout
from services.worker.processors.session.layout import Layout, attachment_stem, link_to_preview, safe_name, stem

ANY_TEXT = st.text(st.characters(), max_size=120)


@pytest.mark.parametrize(
    ("name", "safe"),
    [
        ("Open-Source-Session", "Open Source Session"),
        ('a<b>c:d"e/f\\g|h?i*j', "a_b_c_d_e_f_g_h_i_j"),
        ("line\nend\ttab\x00", "line_end_tab_"),
        ("Übersicht – Böden", "Übersicht – Böden"),  # noqa: RUF001
        ("../../etc/passwd", "_.._etc_passwd"),
        ("..", "untitled"),
        ("---", "untitled"),
        ("  . trailing dots ...", "trailing dots"),
        ("u\u0308ber", "über"),
        ("lone \ud800 half", "lone _ half"),
        ("wide\u00a0\u2003space and zero\u200bwidth", "wide space and zero_width"),
    ],
)
def test_a_name_is_made_safe_as_in_the_contract(name, safe):
    assert safe_name(name) == safe


@given(ANY_TEXT)
def test_every_text_becomes_a_name_that_file_systems_take_and_that_stays_as_it_is(text):
    name = safe_name(text)
    assert 0 < len(name) <= 50
    assert len(name.encode()) <= 200
    assert not session_layout.FORBIDDEN.search(name)
    assert name not in (".", "..")
    assert name == name.strip(" .")
    assert name.isprintable()
    assert safe_name(name) == name


@pytest.mark.parametrize(("filename", "left"), [("a.md", "a"), ("a.MD", "a"), ("a", "a"), ("a.b", "a.b")])
def test_the_ending_of_a_file_is_added_once(filename, left):
    assert stem(filename) == left
    assert Layout.of("E", "de", "T", left).markdown == f"sessions/E/de/T/{left}.md"


def test_the_language_stays_as_given_and_the_archive_has_no_sessions_folder():
    layout = Layout.of("My-Event", "de-AT", "Main/Track", "Talk")
    assert layout.markdown == "sessions/My Event/de-AT/Main_Track/Talk.md"
    assert layout.archived_markdown == "My Event/de-AT/Main_Track/Talk.md"
    assert layout.assets("slides") == "sessions/My Event/assets/slides"
    assert layout.archived_assets("slides") == "My Event/assets/slides"


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("https://example.com/files/My%20slides.pdf?v=2", "My slides"),
        ("https://example.com/", "attachment"),
        ("https://example.com/%2e%2e%2fx.pdf", "x"),
        (f"https://example.com/{'a' * 80}.pdf", "a" * 50),
    ],
)
def test_an_attachment_is_called_as_its_address_ends(url, name):
    assert attachment_stem(url) == name


@given(ANY_TEXT, ANY_TEXT, st.integers(1, 5000))
def test_the_markdown_links_to_its_previews_wherever_both_were_put(event, attachment, page):
    layout = Layout.of(event, "de", "Track", "Talk")
    link = link_to_preview(safe_name(attachment), page)
    reached = posixpath.normpath(posixpath.join(posixpath.dirname(layout.markdown), unquote(link)))
    assert reached == f"{layout.assets(safe_name(attachment))}/preview_{page:03d}.jpg"


@given(ANY_TEXT, ANY_TEXT)
def test_the_blob_store_takes_every_place(tmp_path_factory, event, track):
    blobs = Blobs(tmp_path_factory.mktemp("blobs").as_uri())
    layout = Layout.of(event, "de", track, "Talk #1")
    for place in (layout.markdown, f"{layout.assets(safe_name(track))}/preview_001.jpg"):
        claim = blobs.put_named(place, b"x", "text/plain")
        assert blobs.get(claim.uri) == b"x"
        assert blobs.local_path(claim.uri).read_bytes() == b"x"
