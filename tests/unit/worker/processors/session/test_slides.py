"""The description of each slide, and the table that shows it."""

import base64

from hypothesis import given
from hypothesis import strategies as st

from services.worker.processors.session.slides import Slide, shortened, slides, table

LINKS = {1: "../../assets/s/preview_001.jpg"}
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from(["page_num", "title", "summary"]), inner),
    max_leaves=20,
)


def test_without_a_model_the_first_line_is_the_title_and_the_rest_the_summary():
    first, second = slides({1: "# Soil\n\n- is *alive*\n- needs care\n![x](x.png)", 2: "\n"}, LINKS)
    assert (first.title, first.summary) == ("Soil", "is *alive* needs care")
    assert (second.title, second.summary, second.image_url) == ("", "", "")


def test_the_answer_of_a_model_on_a_page_goes_before_the_text_of_the_page():
    answer = [{"page_num": "2", "title": "Two", "summary": "Second"}, {"page_num": 9, "title": "no such page"}]
    first, second = slides({1: "One\nrest", 2: "raw"}, {}, answer)
    assert (first.title, first.summary) == ("One", "rest")
    assert (second.title, second.summary) == ("Two", "Second")


@given(JSON)
def test_a_model_may_answer_anything(answer):
    shown = slides({1: "One\nrest", 2: ""}, LINKS, answer)
    assert [slide.page for slide in shown] == [1, 2]
    assert table(shown).count("\n") == 3


def test_a_slide_is_listed_with_the_fields_of_the_contract():
    (slide,) = slides({1: "Grüße\nalle"}, LINKS)
    field = slide.field()
    assert base64.b64decode(field.pop("slide_text")).decode() == "Grüße\nalle"
    assert field == {"page_num": 1, "title": "Grüße", "summary": "alle", "image_url": LINKS[1]}


def test_the_table_shows_preview_title_and_summary_in_two_columns():
    shown = (Slide(1, "Soil", "is alive", "", LINKS[1]), Slide(2, "", "no title", "", ""), Slide(3, "", "", "", ""))
    assert table(shown).split("\n") == [
        "|  |  |",
        "| --- | --- |",
        f"| ![1]({LINKS[1]}) | **Soil** — is alive |",
        "| 2 | no title |",
        "| 3 |  |",
    ]
    assert table(()) == ""


def test_no_text_breaks_out_of_its_cell():
    row = table((Slide(1, "a|b", "<script> | *x* \\", "", ""),)).split("\n")[2]
    assert row == "| 1 | **a\\|b** — &lt;script> \\| \\*x\\* \\\\ |"


@given(st.text(max_size=60), st.integers(1, 40))
def test_a_shortened_text_fits_and_has_a_mark_of_the_cut(text, limit):
    short = shortened(text, limit)
    assert len(short) <= limit
    assert short == text or short.endswith("…")
