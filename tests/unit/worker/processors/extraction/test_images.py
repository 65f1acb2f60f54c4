"""Images of every kind that an extraction reads: their words by OCR, and the ways in which an image is bad."""

from dataclasses import replace
from pathlib import Path

import pillow_heif
import pytest
from PIL import Image

from schemas.errors import ErrorCode
from schemas.job_types.extraction import EXTRACTION, ExtractionParameters
from services.worker.processors.extraction import images as extraction_images
from services.worker.processors.extraction import processor as extraction
from tests.support.files import office
from tests.support.runs.extraction import Desk

WORDS = "Grüße aus Köln 42"
KINDS = {
    "a.png": "image/png",
    "a.jpg": "image/jpeg",
    "a.webp": "image/webp",
    "a.bmp": "image/bmp",
    "a.gif": "image/gif",
    "a.tiff": "image/tiff",
    "a.avif": "image/avif",
    "a.heic": "image/heic",
}
pillow_heif.register_heif_opener()  # Pillow writes no HEIC without it
ORIENTATION = 0x0112  # Exif 2.32, 4.6.4
ON_ITS_SIDE = 6


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


def saved(desk: Desk, picture: Image.Image, name: str = "a.png", **saving: object) -> Path:
    path = desk.folder / name
    picture.save(path, **saving)  # type: ignore[arg-type]
    return path


@pytest.mark.parametrize("name", KINDS)
def test_the_words_of_an_image_are_read(desk: Desk, name: str) -> None:
    result = desk.run(saved(desk, office.picture(WORDS), name))
    metadata = result.structured_data["metadata"]
    assert result.structured_data["extracted_text"] == WORDS
    assert (metadata["mimeType"], metadata["extractionMethod"]) == (KINDS[name], "rapidocr")
    assert (result.method, result.pages, result.notes) == ("rapidocr", 1, ())


@pytest.mark.parametrize("mode", ["1", "L", "P", "RGBA", "LA", "CMYK", "I;16", "F"])
def test_the_colours_of_an_image_do_not_matter(desk: Desk, mode: str) -> None:
    picture = office.picture(WORDS)
    match mode:
        case "I;16":
            picture = picture.convert("I").point(lambda value: value * 257).convert("I;16")
        case "F":
            picture = picture.convert("F").point(lambda value: value * 0.001 + 7.0)
        case _:
            picture = picture.convert(mode)
    assert desk.text(saved(desk, picture, "a.tiff")) == WORDS


def test_words_on_nothing_stand_on_paper(desk: Desk) -> None:
    words = office.picture(WORDS).convert("L")
    see_through = Image.merge("LA", (Image.new("L", words.size, 0), words.point(lambda value: 255 - value)))
    assert desk.text(saved(desk, see_through)) == WORDS


def test_a_picture_that_was_taken_sideways_is_turned(desk: Desk) -> None:
    exif = Image.Exif()
    exif[ORIENTATION] = ON_ITS_SIDE
    turned = office.picture(WORDS).transpose(Image.Transpose.ROTATE_90)
    assert desk.text(saved(desk, turned, "a.jpg", exif=exif)) == WORDS


def test_a_large_picture_is_shrunk_to_what_is_needed(desk: Desk) -> None:
    large = office.picture(WORDS).resize((4002, 1998))
    assert desk.text(saved(desk, large, "a.jpg")) == WORDS


def test_each_page_of_a_tiff_is_read(desk: Desk) -> None:
    pages = [office.picture(text) for text in ("First page", "Second page")]
    path = saved(desk, pages[0], "a.tif", save_all=True, append_images=pages[1:])
    result = desk.run(path)
    assert [entry["content"] for entry in result.structured_data["metadata"]["text_contents"]] == [
        "First page",
        "Second page",
    ]
    assert result.pages == 2


def test_the_limit_of_pages_holds_for_a_tiff(tmp_path: Path) -> None:
    desk = Desk(tmp_path, max_pages=1)
    page = office.picture("Page")
    path = saved(desk, page, "a.tif", save_all=True, append_images=[page])
    assert desk.refused(path).code is ErrorCode.TOO_MANY_PAGES


def test_an_animation_is_one_picture(desk: Desk) -> None:
    frames = [office.picture(text) for text in ("First", "Second")]
    path = saved(desk, frames[0], "a.gif", save_all=True, append_images=frames[1:])
    assert desk.text(path) == "First"


def test_an_image_without_words_gets_a_note(desk: Desk) -> None:
    result = desk.run(saved(desk, Image.new("RGB", (200, 100), "white")))
    assert result.structured_data["extracted_text"] == ""
    assert result.notes == ("OCR found no text in the image.",)
    assert result.method == "rapidocr"


def test_an_image_of_too_many_pixels_is_not_unpacked(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(extraction_images, "MAX_PIXELS", 1000)
    error = desk.refused(saved(desk, Image.new("1", (100, 100))))
    assert error.code is ErrorCode.FILE_TOO_LARGE
    assert "100 x 100 pixels" in error.message


@pytest.mark.parametrize("name", ["a.png", "a.jpg", "a.webp", "a.tiff"])
def test_half_an_image_is_damaged(desk: Desk, name: str) -> None:
    path = saved(desk, office.picture(WORDS), name)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    assert desk.refused(path).code is ErrorCode.INVALID_DOCUMENT


def test_each_page_of_a_tiff_is_finished_before_the_next_one_is_read(desk: Desk) -> None:
    events: list[object] = []
    place = replace(desk.place, finish=events.append)
    first, second = office.picture(WORDS), office.picture("Second 43")
    path = saved(desk, first, "a.tiff", save_all=True, append_images=[second])

    def report(step: str, percent: int, message=None, page=None, pages=None) -> None:  # type: ignore[no-untyped-def]
        events.append(page)

    result = extraction.process(ExtractionParameters(filename=str(path)), place, report)
    pages = EXTRACTION.pages(result.body("target"))
    assert [one for one in events if one is not None] == [1, pages[0], 2, pages[1]]
    assert all(page.score for page in pages)
