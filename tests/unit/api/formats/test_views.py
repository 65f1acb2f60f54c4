"""What `GET /api/formats` lists, against what the worker does with such files."""

import pytest

from schemas.errors import ErrorCode
from schemas.formats import FORMATS, REFUSED, Format, Kind, Refused
from schemas.media import MEDIA_TYPES
from services.api.formats.views import formats
from services.worker.errors import ProcessingError
from services.worker.files.kinds import KINDS, kind_of
from tests.support.source import ROOT

UNKNOWN_CONTENT = b"\0\1\2\3"


def test_every_kind_is_listed_once_and_no_ending_twice() -> None:
    listed = formats()
    assert [one["kind"] for one in listed["read"]] == [kind.value for kind in Kind]
    endings = [ending for one in (*listed["read"], *listed["refused"]) for ending in one["endings"]]
    assert len(endings) == len(set(endings))


@pytest.mark.parametrize("one", FORMATS, ids=lambda one: one.kind)
def test_the_names_and_media_types_that_are_listed_are_known(one: Format) -> None:
    assert all(MEDIA_TYPES[ending] == media_type for ending, media_type in one.endings.items())
    assert all(KINDS[media_type.lower()] is one.kind for media_type in (*one.endings.values(), *one.also))


@pytest.mark.parametrize("one", [one for one in REFUSED if one.endings], ids=lambda one: one.endings[0])
def test_what_is_listed_as_refused_is_refused_by_its_name_with_what_to_do(one: Refused) -> None:
    for ending in one.endings:
        with pytest.raises(ProcessingError) as caught:
            kind_of(UNKNOWN_CONTENT, (), "", f"a{ending}", "")
        assert caught.value.code is ErrorCode.UNSUPPORTED_FILE_TYPE
        assert one.phrase in caught.value.message


def test_the_document_about_formats_has_a_row_for_each() -> None:
    rows = (ROOT / "docs" / "formats.md").read_text().splitlines()
    for one in (*FORMATS, *(one for one in REFUSED if one.endings)):
        endings = ", ".join(f"`{ending}`" for ending in one.endings)
        assert any(row.startswith(f"| {one.name} | {endings} |") for row in rows), one.name


def test_each_entry_has_its_limits_and_what_to_do() -> None:
    listed = formats()
    text = next(one for one in listed["read"] if one["kind"] == "docx")
    kept = {"structure": True, "tables": True, "ocr": False, "missing_words_are_named": True}
    assert kept.items() <= text.items()
    assert text["media_types"][0].endswith("wordprocessingml.document")
    old = next(one for one in listed["refused"] if ".doc" in one["endings"])
    assert old["advice"] == "save it as DOCX"
