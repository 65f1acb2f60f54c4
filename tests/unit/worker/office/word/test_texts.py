"""Word documents: whatever wraps or holds a text, it is read, once."""

from email.message import EmailMessage
from io import BytesIO
from pathlib import Path
from zipfile import ZIP_LZMA, ZipFile

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support.files import ooxml
from tests.support.files.ooxml import drawn, line, paragraph, run, word
from tests.support.runs.extraction import Desk

WRAPPERS = {
    "hyperlink without relationship": '<w:hyperlink r:id="none">{}</w:hyperlink>',
    "anchor": '<w:hyperlink w:anchor="there">{}</w:hyperlink>',
    "insertion": '<w:ins w:id="1" w:author="a">{}</w:ins>',
    "moved here": '<w:moveTo w:id="1">{}</w:moveTo>',
    "control": "<w:sdt><w:sdtPr><w:alias w:val='unseen'/></w:sdtPr><w:sdtContent>{}</w:sdtContent></w:sdt>",
    "smart tag": '<w:smartTag w:element="x">{}</w:smartTag>',
    "custom XML": '<w:customXml w:element="x">{}</w:customXml>',
    "simple field": '<w:fldSimple w:instr="TITLE">{}</w:fldSimple>',
    "direction": '<w:dir w:val="rtl">{}</w:dir>',
    "unknown": '<x:other>{}</x:other>',
    "alternatives": "<mc:AlternateContent><mc:Choice Requires='w14'>{0}</mc:Choice><mc:Fallback>{0}</mc:Fallback>"
                    "</mc:AlternateContent>",
}  # fmt: skip
BOX = "<w:txbxContent>{}</w:txbxContent>"
HOLDERS = {
    "DrawingML": "<w:drawing><wp:inline><a:graphic><a:graphicData><wps:wsp><wps:txbx>{}</wps:txbx></wps:wsp>"
                 "</a:graphicData></a:graphic></wp:inline></w:drawing>",
    "VML": "<w:pict><v:shape><v:textbox>{}</v:textbox></v:shape></w:pict>",
    "VML groups": "<w:pict><v:group><v:group><v:oval><v:textbox>{}</v:textbox></v:oval></v:group></v:group></w:pict>",
    "object": "<w:object><v:shape><v:textbox>{}</v:textbox></v:shape></w:object>",
}  # fmt: skip
WORDS = st.lists(st.sampled_from(["alpha", "beta", "gamma", "delta"]), min_size=1, max_size=6)


@pytest.mark.parametrize("wrapper", WRAPPERS)
def test_a_run_is_read_in_any_wrapper(desk: Desk, wrapper: str) -> None:
    path = word(
        desk.folder / "a.docx", paragraph(run("before ") + WRAPPERS[wrapper].format(run("within")) + run(" after"))
    )
    assert desk.text(path) == "before within after"


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(layers=st.lists(st.lists(st.sampled_from(sorted(WRAPPERS)), max_size=4), min_size=1, max_size=5))
def test_each_word_is_read_once_however_wrappers_nest(desk: Desk, layers: list[list[str]]) -> None:
    body = ""
    for number, wrappers in enumerate(layers):
        inner = run(f"word{number} ")
        for wrapper in wrappers:
            inner = WRAPPERS[wrapper].format(inner)
        body += paragraph(inner)
    result = desk.run(word(desk.folder / "a.docx", body))
    assert result.structured_data["extracted_text"].split() == [f"word{number}" for number in range(len(layers))]
    assert result.notes == ()


@pytest.mark.parametrize("holder", HOLDERS)
def test_a_text_box_is_read_where_it_is_anchored(desk: Desk, holder: str) -> None:
    box = HOLDERS[holder].format(BOX.format(line("one") + line("two")))
    path = word(desk.folder / "a.docx", line("before") + paragraph(f"<w:r>{box}</w:r>") + line("after"))
    assert desk.text(path) == "before\n\none\n\ntwo\n\nafter"


def test_of_a_text_box_with_a_fallback_one_form_is_read(desk: Desk) -> None:
    choice = HOLDERS["DrawingML"].format(BOX.format(line("modern")))
    fallback = HOLDERS["VML"].format(BOX.format(line("modern")))
    branches = f"<mc:Choice>{choice}</mc:Choice><mc:Fallback>{fallback}</mc:Fallback>"
    both = f"<mc:AlternateContent>{branches}</mc:AlternateContent>"
    result = desk.run(word(desk.folder / "a.docx", paragraph(f"<w:r>{both}</w:r>")))
    assert (result.structured_data["extracted_text"], result.notes) == ("modern", ())


def test_furigana_leave_the_word_whole_and_are_noted(desk: Desk) -> None:
    ruby = f"<w:r><w:ruby><w:rt>{run('とうきょう')}</w:rt><w:rubyBase>{run('東京')}</w:rubyBase></w:ruby></w:r>"
    result = desk.run(word(desk.folder / "a.docx", paragraph(ruby + run("に行きます。"))))
    assert result.structured_data["extracted_text"] == "東京に行きます。"
    assert result.notes == ("Readings above words (ruby) were left out: 1.",)


def test_deleted_and_moved_text_is_not_shown(desk: Desk) -> None:
    gone = (
        "<w:del><w:r><w:delText>deleted</w:delText></w:r></w:del><w:moveFrom><w:r><w:t>moved</w:t></w:r></w:moveFrom>"
    )
    result = desk.run(word(desk.folder / "a.docx", paragraph(run("kept") + gone)))
    assert (result.structured_data["extracted_text"], result.notes) == ("kept", ())


@pytest.mark.parametrize(
    ("math", "text"),
    [
        ("<m:r><m:t>x≤42.5</m:t></m:r>", "x≤42.5"),
        ("<m:f><m:num><m:r><m:t>a+b</m:t></m:r></m:num><m:den><m:r><m:t>2</m:t></m:r></m:den></m:f>", "(a+b)/2"),
        ("<m:rad><m:deg/><m:e><m:r><m:t>x+1</m:t></m:r></m:e></m:rad>", "√(x+1)"),
        ("<m:sSup><m:e><m:r><m:t>x</m:t></m:r></m:e><m:sup><m:r><m:t>2</m:t></m:r></m:sup></m:sSup>", "x^2"),
        ("<m:nary><m:naryPr><m:chr m:val='∑'/></m:naryPr><m:sub><m:r><m:t>i=1</m:t></m:r></m:sub><m:sup><m:r><m:t>n"
         "</m:t></m:r></m:sup><m:e><m:r><m:t>i</m:t></m:r></m:e></m:nary>", "∑_(i=1)^n i"),
        ("<m:d><m:dPr><m:begChr m:val='['/><m:endChr m:val=']'/></m:dPr><m:e><m:r><m:t>y</m:t></m:r></m:e></m:d>",
         "[y]"),
    ],
)  # fmt: skip
def test_an_equation_is_linear_text(desk: Desk, math: str, text: str) -> None:
    inline = desk.text(
        word(desk.folder / "a.docx", paragraph(run("If ") + f"<m:oMath>{math}</m:oMath>" + run(" then")))
    )
    assert inline == f"If {text} then"
    alone = desk.text(word(desk.folder / "b.docx", paragraph(f"<m:oMathPara><m:oMath>{math}</m:oMath></m:oMathPara>")))
    assert text in alone


def test_letterhead_and_footer_frame_the_text_and_come_once(desk: Desk) -> None:
    sections = '<w:headerReference r:id="h"/><w:footerReference r:id="f"/>'
    body = (
        line("one")
        + paragraph("", f"<w:sectPr>{sections}</w:sectPr>")
        + line("two")
        + f"<w:sectPr>{sections}</w:sectPr>"
    )
    parts = {
        "header1.xml": ooxml.element("w:hdr", line("LETTERHEAD")),
        "footer1.xml": ooxml.element("w:ftr", line("VAT DE123")),
    }
    links = [("h", "header", "header1.xml"), ("f", "footer", "footer1.xml")]
    result = desk.run(word(desk.folder / "a.docx", body, links, parts))
    assert (result.structured_data["extracted_text"], result.notes) == ("LETTERHEAD\n\none\n\ntwo\n\nVAT DE123", ())
    for form in ("text", "markdown"):
        document = desk.run(desk.folder / "a.docx", output=form).structured_data["document"]
        assert document == "LETTERHEAD\n\none\n\ntwo\n\nVAT DE123"


def test_comments_stand_behind_their_paragraph_with_their_author(desk: Desk) -> None:
    comments = ooxml.element("w:comments", f'<w:comment w:id="7" w:author="Ann">{line("too high")}</w:comment>')
    body = paragraph(run("The rent") + '<w:r><w:commentReference w:id="7"/></w:r>') + line("after")
    path = word(desk.folder / "a.docx", body, [("c", "comments", "comments.xml")], {"comments.xml": comments})
    assert desk.text(path) == "The rent\n\n> **Comment:** Ann: too high\n\nafter"


def test_footnotes_and_endnotes_are_marked_and_follow_the_text(desk: Desk) -> None:
    parts = {
        "footnotes.xml": ooxml.element(
            "w:footnotes",
            f'<w:footnote w:id="0" w:type="separator">{line("unseen")}</w:footnote>'
            f'<w:footnote w:id="2">{line("below")}</w:footnote>',
        ),
        "endnotes.xml": ooxml.element("w:endnotes", f'<w:endnote w:id="2">{line("at the end")}</w:endnote>'),
    }
    links = [("f", "footnotes", "footnotes.xml"), ("e", "endnotes", "endnotes.xml")]
    body = paragraph(run("Text") + '<w:r><w:footnoteReference w:id="2"/><w:endnoteReference w:id="2"/></w:r>') + line(
        "on"
    )
    result = desk.run(word(desk.folder / "a.docx", body, links, parts))
    expected = "Text[1][i]\n\non\n\n> **Note:** [1] below\n\n> **Note:** [i] at the end"
    assert (result.structured_data["extracted_text"], result.notes) == (expected, ())


def test_charts_and_smartart_are_read(desk: Desk) -> None:
    body = paragraph(
        f"<w:r><w:drawing>{ooxml.CHART}</w:drawing></w:r><w:r><w:drawing>{ooxml.DIAGRAM}</w:drawing></w:r>"
    )
    links = [("chart", "chart", "chart1.xml"), ("diagram", "diagramData", "data1.xml")]
    parts = {
        "chart1.xml": ooxml.chart(code="0.0%", series={"North": [0.5, 0.25]}),
        "data1.xml": ooxml.diagram("ask", "do"),
    }
    result = desk.run(word(desk.folder / "a.docx", body, links, parts))
    expected = "Sales\n\n|  | North |\n| --- | --- |\n| Q1 | 50.0% |\n| Q2 | 25.0% |\n\n- ask\n- do"
    assert (result.structured_data["extracted_text"], result.notes) == (expected, ())


def mht(html: str) -> bytes:
    message = EmailMessage()
    message.set_content(html, subtype="html")
    return message.as_bytes()


def nested(folder: Path) -> bytes:
    return word(folder / "inner.docx", line("chunk words")).read_bytes()


@pytest.mark.parametrize("kind", ["html", "mht", "docx", "txt"])
def test_an_embedded_chunk_is_read(desk: Desk, kind: str) -> None:
    page = "<html><body><p>chunk words</p></body></html>"
    content = {"html": page, "mht": mht(page), "docx": nested(desk.folder), "txt": "chunk words"}[kind]
    body = line("before") + '<w:altChunk r:id="c"/>' + line("after")
    path = word(desk.folder / "a.docx", body, [("c", "aFChunk", f"chunk.{kind}")], {f"chunk.{kind}": content})
    assert desk.text(path) == "before\n\nchunk words\n\nafter"


def test_a_chunk_of_another_format_is_noted(desk: Desk) -> None:
    path = word(
        desk.folder / "a.docx", line("a") + '<w:altChunk r:id="c"/>', [("c", "aFChunk", "c.rtf")], {"c.rtf": "{\\rtf1}"}
    )
    assert desk.run(path).notes == ("A document that is embedded as a chunk (.rtf) was not read.",)


def test_an_embedded_document_that_is_packed_in_a_rare_way_is_noted(desk: Desk) -> None:
    inner = BytesIO()
    with ZipFile(BytesIO(nested(desk.folder))) as sound, ZipFile(inner, "w", ZIP_LZMA) as rare:
        for name in sound.namelist():
            rare.writestr(name, sound.read(name))
    body = line("a") + '<w:altChunk r:id="c"/>'
    path = word(desk.folder / "a.docx", body, [("c", "aFChunk", "c.docx")], {"c.docx": inner.getvalue()})
    result = desk.run(path)
    assert result.structured_data["extracted_text"] == "a"
    assert result.notes == ("A document that is embedded as a chunk (packed in a rare way) was not read.",)


def test_a_document_within_itself_ends(desk: Desk) -> None:
    content = word(desk.folder / "0.docx", line("innermost")).read_bytes()
    for number in range(1, 6):
        body = line(f"layer {number}") + '<w:altChunk r:id="c"/>'
        path = word(desk.folder / f"{number}.docx", body, [("c", "aFChunk", "c.docx")], {"c.docx": content})
        content = path.read_bytes()
    result = desk.run(path)
    assert "layer 2" in result.structured_data["extracted_text"]
    assert result.notes == ("A document that is embedded as a chunk (within too many others) was not read.",)


def test_fields_of_forms_show_their_state(desk: Desk) -> None:
    def form(inner: str) -> str:
        return f'<w:r><w:fldChar w:fldCharType="begin"><w:ffData>{inner}</w:ffData></w:fldChar></w:r>'

    ticked = form("<w:checkBox><w:default w:val='0'/><w:checked/></w:checkBox>")
    empty = form("<w:checkBox><w:default w:val='0'/></w:checkBox>")
    choice = form("<w:ddList><w:result w:val='1'/><w:listEntry w:val='red'/><w:listEntry w:val='blue'/></w:ddList>")
    assert desk.text(word(desk.folder / "a.docx", paragraph(ticked + empty + choice))) == "☒☐blue"


def test_links_of_fields_and_elements_have_their_address(desk: Desk) -> None:
    field = (
        '<w:r><w:fldChar w:fldCharType="begin"/></w:r><w:r><w:instrText>HYPERLINK "https://example.com/a"</w:instrText>'
        f'</w:r><w:r><w:fldChar w:fldCharType="separate"/></w:r>{run("field")}'
        '<w:r><w:fldChar w:fldCharType="end"/></w:r>'
    )
    element = f'<w:hyperlink r:id="l">{run("element")}</w:hyperlink>'
    path = word(
        desk.folder / "a.docx", paragraph(field + run(" and ") + element), [("l", "hyperlink", "https://example.com/b")]
    )
    assert desk.text(path) == "[field](https://example.com/a) and [element](https://example.com/b)"


def test_signs_of_symbol_fonts_become_unicode(desk: Desk) -> None:
    signs = "".join(
        f'<w:r><w:sym w:font="{font}" w:char="{place}"/></w:r>'
        for font, place in (("Wingdings", "F0FE"), ("Symbol", "F044"), ("x", "F001"))
    )
    result = desk.run(word(desk.folder / "a.docx", paragraph(signs)))
    assert result.structured_data["extracted_text"] == "☑Δ"
    assert result.notes == ("Signs of fonts that are not Unicode were left out.",)


def test_words_that_no_reader_reads_are_named_with_their_place(desk: Desk) -> None:
    comments = ooxml.element("w:comments", line("stray words"))
    path = word(desk.folder / "a.docx", line("a"), [("c", "comments", "comments.xml")], {"comments.xml": comments})
    assert desk.run(path).notes == ("2 words are missing in the text, in the comments on the document: stray, words.",)


def test_word_art_and_words_about_pictures_are_read(desk: Desk) -> None:
    art = '<w:pict><v:shape><v:textpath string="DRAFT"/></v:shape></w:pict>'
    picture = '<w:drawing><wp:inline><wp:docPr id="1" name="x" descr="A map of {}"/></wp:inline></w:drawing>'
    body = paragraph(f"<w:r>{art}{picture.format('the park')}</w:r>") + paragraph(
        "<w:r><w:drawing><wp:inline><wp:docPr id='2' name='x' descr='photo.jpg'/></wp:inline></w:drawing></w:r>"
    )
    assert desk.text(word(desk.folder / "a.docx", body)) == "DRAFT\n\nA map of the park"


def test_drawn_text_of_a_locked_canvas_is_read(desk: Desk) -> None:
    body = paragraph(
        f"<w:r><w:drawing><a:graphic><a:graphicData>{drawn('on canvas')}</a:graphicData></a:graphic></w:drawing></w:r>"
    )
    assert desk.text(word(desk.folder / "a.docx", body)) == "on canvas"


@pytest.mark.parametrize("depth", [10, 100, 230, 1000])
@pytest.mark.parametrize("wrapper", ["insertion", "smart tag"])
def test_wrappers_that_nest_too_deeply_cost_their_own_words_and_are_noted(desk: Desk, wrapper: str, depth: int) -> None:
    start, end = WRAPPERS[wrapper].split("{}")
    deep = paragraph(start * depth + run("deep") + end * depth)
    result = desk.run(word(desk.folder / "a.docx", line("before") + deep + line("after")))
    text = result.structured_data["extracted_text"].split()
    assert text[0] == "before"
    assert text == ["before", "deep", "after"] or result.notes
