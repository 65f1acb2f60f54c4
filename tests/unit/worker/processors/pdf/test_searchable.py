"""`searchable_pdf`: the PDF with the text of OCR as an invisible layer, read again by two readers."""

import io
from pathlib import Path

import pymupdf
import pypdfium2
import pytest

from services.worker.ocr.searchable import TextLayer
from services.worker.pages import mupdf
from services.worker.processors.pdf.searchable import NOT_MADE
from tests.support.files.layers import A4, coded, picture_page
from tests.support.files.scans import LETTER, page, png, scan, turned
from tests.support.runs.extraction import Desk
from tests.support.runs.pdf import kept, run, typed

XMP = (
    '<?xpacket begin=""?><x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
    '<rdf:Description xmlns:pdfaid="http://www.aiim.org/pdfa/ns/id/" pdfaid:part="2" pdfaid:conformance="B"/>'
    '</rdf:RDF></x:xmpmeta><?xpacket end="w"?>'
)


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


def searchable(desk: Desk) -> bytes:
    """The PDF that the last run kept."""
    return (Path(desk.place.target_dir) / "searchable.pdf").read_bytes()


def lines_of(content: bytes) -> list[str]:
    with pymupdf.open(stream=content) as document:
        return [line for page in document for line in mupdf.page_text(document, page.number + 1).splitlines()]


def pictures_of(content: bytes) -> list[bytes]:
    with pymupdf.open(stream=content) as document:
        return [page.get_pixmap(dpi=50).samples for page in document]


@pytest.mark.parametrize("degrees", [0, 90, 180, 4])
@pytest.mark.parametrize("rotation", [0, 90, 270])
def test_a_scan_becomes_searchable_and_looks_as_before(desk: Desk, degrees: float, rotation: int) -> None:
    path = scan(desk.folder / "a.pdf", turned(page(LETTER[:3]), degrees))
    with pymupdf.open(path) as document:
        document[0].set_rotation(rotation)
        document.saveIncr()
    result = desk.run(path, searchable_pdf=True)
    assert result.structured_data["metadata"]["searchable_pdf"] in result.assets
    made = searchable(desk)
    assert lines_of(made) == list(LETTER[:3])
    assert pictures_of(made) == pictures_of(path.read_bytes())
    second = pypdfium2.PdfDocument(made)
    assert sorted(second[0].get_textpage().get_text_bounded().split()) == sorted(" ".join(LETTER[:3]).split())
    second.close()


def test_each_word_is_where_it_is_seen(desk: Desk) -> None:
    desk.run(scan(desk.folder / "a.pdf", page(size=40)), searchable_pdf=True)
    with pymupdf.open(stream=searchable(desk)) as document:
        for line in LETTER:
            for word in line.split()[::3]:
                for found in document[0].search_for(word):
                    seen = document[0].get_pixmap(clip=found, dpi=100)
                    assert min(seen.samples) < 100  # ink
            (box,) = document[0].search_for(line)
            below = pymupdf.Rect(box.x0, box.y1 + 3, box.x1, box.y1 + 5)
            assert min(document[0].get_pixmap(clip=below, dpi=100).samples) > 200


def test_only_what_the_text_layer_lacks_is_added(desk: Desk) -> None:
    header = "Registry office, certificate 4711"
    image = page(LETTER[:3], least=(1000, 1300))
    desk.run(
        picture_page(desk.folder / "a.pdf", image, (0, 40, A4.width, 815), [(50, 30, header)]), searchable_pdf=True
    )
    assert sorted(lines_of(searchable(desk))) == sorted([header, *LETTER[:3]])


def test_a_pdf_that_has_its_text_stays_as_it_is(desk: Desk) -> None:
    path = typed(desk.folder / "a.pdf", ["First words", "Second words"])
    desk.run(path, searchable_pdf=True)
    assert lines_of(searchable(desk)) == ["First words", "Second words"]


def test_a_page_keeps_the_resources_that_it_shares_or_inherits(desk: Desk) -> None:
    """The fonts of the page, and those of its layer, also if the resources stand at the root of the pages."""
    path = picture_page(desk.folder / "a.pdf", page(LETTER[:2], least=(1000, 1400)), A4, [(290, 832, "1")])
    with pymupdf.open(path) as document:
        page_xref = document[0].xref
        root = int(document.xref_get_key(document.pdf_catalog(), "Pages")[1].split()[0])
        document.xref_set_key(root, "Resources", document.xref_get_key(page_xref, "Resources")[1])
        document.xref_set_key(page_xref, "Resources", "null")
        document.save(desk.folder / "b.pdf")
    before = (desk.folder / "b.pdf").read_bytes()
    desk.run(desk.folder / "b.pdf", searchable_pdf=True)
    assert sorted(lines_of(searchable(desk))) == sorted(["1", *LETTER[:2]])
    assert pictures_of(searchable(desk)) == pictures_of(before)


def test_what_a_page_leaves_in_its_state_does_not_move_the_layer(desk: Desk) -> None:
    path = scan(desk.folder / "a.pdf", page(LETTER[:2]))
    with pymupdf.open(path) as document:
        (content,) = document[0].get_contents()
        document.update_stream(content, b"0.5 0 0 0.5 20 30 cm q\n" + document.xref_stream(content))
        document.saveIncr()
    desk.run(path, searchable_pdf=True)
    with pymupdf.open(stream=searchable(desk)) as document:
        (found,) = document[0].search_for("The tenant")
        assert min(document[0].get_pixmap(clip=found, dpi=200).samples) < 100


def test_a_pdf_a_stays_one_by_its_metadata_and_needs_no_embedded_font(desk: Desk) -> None:
    path = scan(desk.folder / "a.pdf", page(LETTER[:2]))
    with pymupdf.open(path) as document:
        document.set_xml_metadata(XMP)
        profile = document.get_new_xref()
        document.update_object(profile, "<</Type/OutputIntent/S/GTS_PDFA1/OutputConditionIdentifier(sRGB)>>")
        document.xref_set_key(document.pdf_catalog(), "OutputIntents", f"[{profile} 0 R]")
        document.saveIncr()
    desk.run(path, searchable_pdf=True)
    with pymupdf.open(stream=searchable(desk)) as document:
        assert document.get_xml_metadata() == XMP
        assert "OutputIntents" in document.xref_get_keys(document.pdf_catalog())
        assert document.xref_get_key(-1, "ID")[0] == "array"
        drawn = document[0].get_texttrace()[0]
        assert drawn["type"] == 3  # the rendering mode that draws nothing


@pytest.mark.parametrize("frames", [1, 3])
def test_an_image_becomes_a_searchable_pdf(desk: Desk, frames: int) -> None:
    lines = [[f"Sheet {number} of the folder", "Größe der Straße"] for number in range(1, frames + 1)]
    buffer = io.BytesIO()
    first, *others = (turned(page(two), 90) for two in lines)
    first.save(buffer, "TIFF", save_all=True, append_images=others)
    desk.run(desk.file("a.tiff", buffer.getvalue()), searchable_pdf=True)
    assert lines_of(searchable(desk)) == [line for two in lines for line in two]
    with pymupdf.open(stream=searchable(desk)) as document:
        assert document.page_count == frames
        assert document[0].rect.height == pytest.approx(first.height * 72 / 200, abs=0.1)


@pytest.mark.parametrize("method", ["native", "ocr", "both", "preview"])
def test_a_pdf_job_makes_it_with_each_method(desk: Desk, method: str) -> None:
    path = scan(desk.folder / "a.pdf", page(LETTER[:2]))
    result, _ = run(desk.place, path, method, searchable_pdf=True)
    assert "searchable.pdf" in kept(desk.place)
    assert result.structured_data["metadata"]["searchable_pdf"] in result.assets
    assert lines_of(searchable(desk)) == list(LETTER[:2])
    again, _ = run(desk.place, desk.file("b.pdf", searchable(desk)), "native")
    assert again.structured_data["extracted_text"].splitlines() == ["--- Seite 1 ---", *LETTER[:2]]
    assert again.notes == ()


def test_without_the_parameter_there_is_none(desk: Desk) -> None:
    result = desk.run(desk.file("a.png", png(page(LETTER[:1]))))
    assert kept(desk.place) == ["text.txt"]
    assert "searchable_pdf" not in result.structured_data["metadata"]


def test_codes_stay_in_the_file_and_the_text_is_added(desk: Desk) -> None:
    desk.run(coded(desk.folder / "a.pdf", LETTER[:2], "private_use"), searchable_pdf=True)
    assert set(LETTER[:2]) <= set(lines_of(searchable(desk)))


def test_a_text_without_pages_has_none_and_a_note(desk: Desk) -> None:
    result = desk.run(desk.file("a.txt", "Words alone"), searchable_pdf=True)
    assert result.notes == (NOT_MADE,)
    assert kept(desk.place) == ["text.txt"]


def test_a_document_that_cannot_be_written_has_none(tmp_path: Path) -> None:
    with pymupdf.open() as document:
        assert not TextLayer(document).save(tmp_path / "a.pdf")
    assert list(tmp_path.iterdir()) == []
