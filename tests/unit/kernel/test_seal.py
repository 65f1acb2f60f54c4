"""The seal over webhook tokens: opened with the key that sealed it, and with nothing else."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from piperoll.seal import Seal, SealError

OLD, NEW = bytes(range(32)), bytes(range(1, 33))

texts = st.text(st.characters(codec="utf-8"), max_size=300)


@given(texts)
def test_what_is_sealed_can_be_opened(text: str) -> None:
    seal = Seal({"k1": OLD})
    assert seal.open(seal.seal(text)) == text


def test_the_sealed_text_shows_the_key_id_and_nothing_of_the_text() -> None:
    sealed = Seal({"k1": OLD}).seal("hunter2")
    assert sealed.startswith("k1.")
    assert "hunter2" not in sealed


def test_the_same_text_is_never_sealed_the_same_way_twice() -> None:
    seal = Seal({"k1": OLD})
    assert seal.seal("hunter2") != seal.seal("hunter2")


def test_after_a_rotation_the_first_key_seals_and_the_old_one_still_opens() -> None:
    sealed = Seal({"k1": OLD}).seal("hunter2")
    rotated = Seal({"k2": NEW, "k1": OLD})
    assert rotated.open(sealed) == "hunter2"
    assert rotated.seal("hunter2").startswith("k2.")


def test_a_key_that_is_gone_is_named() -> None:
    sealed = Seal({"k1": OLD}).seal("hunter2")
    with pytest.raises(SealError, match="'k1' is not configured"):
        Seal({"k2": NEW}).open(sealed)


def test_another_key_of_the_same_name_does_not_open() -> None:
    sealed = Seal({"k1": OLD}).seal("hunter2")
    with pytest.raises(SealError, match="changed or sealed with another key"):
        Seal({"k1": NEW}).open(sealed)


def test_the_key_id_is_sealed_too() -> None:
    """Two keys of equal bytes: a text moved from one id to the other does not open."""
    sealed = Seal({"k1": OLD}).seal("hunter2")
    with pytest.raises(SealError):
        Seal({"k1": OLD, "k2": OLD}).open(sealed.replace("k1.", "k2."))


def test_without_a_key_nothing_can_be_sealed() -> None:
    with pytest.raises(SealError, match="PIPEROLL_SEAL_KEYS"):
        Seal({})


@given(st.integers(0, 60), st.integers(1, 255))
def test_no_changed_byte_goes_unnoticed(place: int, change: int) -> None:
    seal = Seal({"k1": OLD})
    sealed = seal.seal("hunter2 and some more of it").encode()
    place %= len(sealed)
    tampered = sealed[:place] + bytes([sealed[place] ^ change]) + sealed[place + 1 :]
    try:
        opened = seal.open(tampered.decode("latin-1"))
    except SealError:
        return
    assert opened == "hunter2 and some more of it"  # only what base64 passes over may differ


@given(st.one_of(texts, texts.map("k1.{}".format), st.binary(max_size=40).map(lambda raw: f"k1.{raw.hex()}")))
def test_no_text_at_all_raises_anything_but_a_seal_error(text: str) -> None:
    with pytest.raises(SealError):
        Seal({"k1": OLD}).open(text)
