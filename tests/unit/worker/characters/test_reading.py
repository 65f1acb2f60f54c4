# ruff: noqa: RUF001 - texts of many languages
"""Texts in the encodings of the world: what was written is what is read, or a warning states the doubt."""

import codecs

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from services.worker.characters import declared
from services.worker.characters.labels import codec_of
from services.worker.characters.reading import read

TEXTS = {
    "cp1252": "“Smart quotes” – 25 € für Müller, déjà vu, Noël",
    "cp1250": "Zażółć gęślą jaźń, proszę o szybką odpowiedź",
    "iso8859-2": "Příliš žluťoučký kůň úpěl ďábelské ódy",
    "cp1251": "Съешь ещё этих мягких французских булок",
    "koi8-r": "Съешь ещё этих мягких французских булок",
    "cp1253": "Η γρήγορη καφέ αλεπού πηδάει",
    "cp1254": "Pijamalı hasta yağız şoföre çabucak güvendi",
    "cp1255": "דג סקרן שט בים מאוכזב ולפתע מצא חברה",
    "cp932": "請求書番号,東京に行きます,カタカナ",
    "euc_jp": "請求書番号,東京に行きます,カタカナとひらがな",
    "gb18030": "发票号码,金额,北京市海淀区,我们今天去学校",
    "big5hkscs": "發票號碼,金額,臺北市中正區,我們今天去學校",
    "cp949": "송장 번호,금액,서울특별시,안녕하세요 펲",
    "cp874": "นายสังฆภัณฑ์ เฮงพิทักษ์ฝั่ง",
}
LABELS = {
    "cp1252": ["iso-8859-1", "latin1", "us-ascii", "windows-1252", "ISO_8859-1:1987"],
    "cp1250": ["windows-1250", "x-cp1250"],
    "iso8859-2": ["iso-8859-2", "latin2", "csisolatin2"],
    "cp1251": ["windows-1251", " Windows-1251\n"],
    "koi8-r": ["koi8-r", "koi", "koi8"],
    "cp1253": ["windows-1253"],
    "cp1254": ["iso-8859-9", "latin5", "windows-1254"],
    "cp1255": ["windows-1255"],
    "cp932": ["shift_jis", "x-sjis", "ms_kanji", "windows-31j"],
    "euc_jp": ["euc-jp", "x-euc-jp"],
    "gb18030": ["gb2312", "gbk", "gb_2312-80", "gb18030"],
    "big5hkscs": ["big5", "big5-hkscs", "cn-big5"],
    "cp949": ["ks_c_5601-1987", "euc-kr", "korean", "windows-949"],
    "cp874": ["tis-620", "iso-8859-11", "windows-874"],
}
PAIRS = [(codec, label) for codec, labels in LABELS.items() for label in labels]
PAGES = {
    "meta": '<!doctype html><html><head><meta charset="{label}"><title>x</title></head><body>{text}</body></html>',
    "http-equiv": "<head><META content='text/html; charset={label}' http-equiv=Content-Type></head><p>{text}",
    "late": "<head><style>{pad}</style><meta charset={label}></head><p>{text}",
    "after a comment": '<!-- <meta charset="utf-8"> --><head><meta charset={label}><p>{text}',
    "no head": "<meta charset={label}>{text}",
    "xml": '<?xml version="1.0" encoding="{label}"?><html><body>{text}</body></html>',
}
BOMS = {
    "utf-8": codecs.BOM_UTF8,
    "utf-16-le": codecs.BOM_UTF16_LE,
    "utf-16-be": codecs.BOM_UTF16_BE,
    "utf-32-le": codecs.BOM_UTF32_LE,
    "utf-32-be": codecs.BOM_UTF32_BE,
}


@pytest.mark.parametrize(("codec", "label"), PAIRS)
@pytest.mark.parametrize("form", PAGES)
def test_a_page_is_read_by_the_label_that_it_declares(codec: str, label: str, form: str) -> None:
    page = PAGES[form].format(label=label.strip(), text=TEXTS[codec], pad="p { color: red } " * 500)
    content = page.encode(codec)
    found = read(content, [declared.in_page(content)])
    assert (found.text, found.notes) == (page, ())


@given(st.sampled_from(PAIRS), st.data())
def test_what_is_written_in_an_encoding_is_read_by_each_of_its_labels(
    pair: tuple[str, str], data: st.DataObject
) -> None:
    codec, label = pair
    text = data.draw(st.text(st.sampled_from(TEXTS[codec]), max_size=30))
    found = read(text.encode(codec), [label])
    assert found.text == text or _of_content(text.encode(codec)) == "utf-8"


def _of_content(content: bytes) -> str:
    """Whether bytes are valid UTF-8, or begin with the mark of Unicode, by chance."""
    if any(content.startswith(bom) for bom in BOMS.values()):
        return "utf-8"
    try:
        content.decode()
    except UnicodeDecodeError:
        return ""
    return "" if content.isascii() else "utf-8"


@given(st.sampled_from(sorted(BOMS)), st.text(st.characters(exclude_categories=["Cs"])), st.sampled_from(PAIRS))
def test_a_byte_order_mark_counts_before_every_label(codec: str, text: str, pair: tuple[str, str]) -> None:
    assume(not text.startswith(("\0", "\ufeff")))
    found = read(BOMS[codec] + text.encode(codec), [pair[1]])
    assert (found.text, found.notes) == (text, ())


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=40))
def test_utf_8_is_read_as_it_is(text: str) -> None:
    assume(not text.startswith("\ufeff") and "\x1b" not in text and "\0" not in text)
    assert read(text.encode()) == read(text.encode(), ["utf-8"]) == (text, "utf-8", ())


@pytest.mark.parametrize("codec", TEXTS)
def test_a_text_without_a_declaration_is_guessed_with_a_warning(codec: str) -> None:
    found = read(f"1;2;{TEXTS[codec]}\r\n".encode(codec))
    assert found.text == f"1;2;{TEXTS[codec]}\r\n"
    assert "does not declare its encoding" in found.notes[0]


@pytest.mark.parametrize("labels", [[], ["utf-8"]])
@given(st.integers(0, 200), st.sampled_from([0x80, 0xA0, 0xC0, 0xE4, 0xFF]))
def test_one_bad_byte_costs_one_character(labels: list[str], place: int, bad: int) -> None:
    text = "Größe der Tür: 7 €. " * 10
    content = bytearray(text.encode())
    content.insert(place, bad)
    found = read(bytes(content), labels)
    assert found.codec == "utf-8"
    assert 1 <= found.text.count("\ufffd") <= 4
    assert found.text.count("Größe") >= 9
    assert len(found.notes) == 1


def test_a_text_that_declares_utf_8_and_has_none_of_it_is_guessed() -> None:
    found = read("Größe und Maß".encode("cp1252"), ["utf-8"])
    assert (found.text, found.codec) == ("Größe und Maß", "cp1252")
    assert found.notes == ("The file declares UTF-8 but is not; it was read as Windows-1252, so letters may be wrong.",)


def test_utf_8_under_the_label_of_windows_is_read_with_a_warning() -> None:
    found = read("Größe".encode(), ["iso-8859-1"])
    assert found.text == "Größe"
    assert "declares Windows-1252 but is not" in found.notes[0]


def test_encodings_in_seven_bits_are_read_with_and_without_a_label() -> None:
    content = "東京に行きます".encode("iso2022_jp")
    assert read(content, ["iso-2022-jp"]) == ("東京に行きます", "iso2022_jp", ())
    assert read(content).text == "東京に行きます"
    assert read(content).notes
    coloured = "\x1b[31mGröße\x1b(B"
    assert read(coloured.encode()) == (coloured, "utf-8", ())


def test_the_server_s_charset_counts_before_the_page_s() -> None:
    content = "Łódź".encode("iso8859-2")
    assert read(content, ["iso-8859-2", "koi8-r"]).text == "Łódź"
    assert read(content, ["no-such", None, "", "iso-8859-2"]).text == "Łódź"


@pytest.mark.parametrize("label", ["punycode", "idna", "unicode_escape", "hex", "rot13", "a\0b", "", "no such"])
def test_a_label_that_no_text_has_is_unknown(label: str) -> None:
    assert codec_of(label) is None


@given(st.binary(max_size=300), st.sampled_from(["", "utf-8", "gb2312", "utf-16", "iso-2022-jp", "utf-7", "hz"]))
def test_any_bytes_have_a_text(content: bytes, label: str) -> None:
    found = read(content, [declared.in_page(content), label])
    assert isinstance(found.text, str)
    assert found.text.encode("utf-8") is not None


def test_half_a_letter_in_utf_7_is_replaced_and_noted() -> None:
    found = read(b"a +2AA- b +2D3cAA- c", ["utf-7"])
    assert found.text == "a \ufffd b \U0001f400 c"
    assert found.notes == ("1 place of the text is not valid UTF-7; each was replaced by \ufffd.",)
