"""Request bodies: what is one JSON object with one meaning is read, everything else is refused."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.api.http.bodies import MAX_MEMBERS, MAX_VALUES, parse_object
from services.api.http.errors import ApiError

TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=10)
NUMBERS = st.integers(-(2**53), 2**53) | st.floats(allow_nan=False, allow_infinity=False)
VALUES = st.recursive(
    st.none() | st.booleans() | NUMBERS | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=10,
)
OBJECTS = st.dictionaries(TEXT, VALUES, max_size=5)


@given(OBJECTS)
def test_every_json_object_is_parsed(value: dict[str, Any]) -> None:
    assert parse_object(json.dumps(value).encode()).value == value


@given(OBJECTS, st.randoms(use_true_random=False))
def test_the_order_of_names_and_whitespace_do_not_change_the_hash(value: dict[str, Any], random: Any) -> None:
    names = list(value)
    random.shuffle(names)
    shuffled = json.dumps({name: value[name] for name in names}, indent=2, ensure_ascii=False)
    assert parse_object(shuffled.encode()).sha256 == parse_object(json.dumps(value).encode()).sha256


@given(OBJECTS, OBJECTS)
def test_another_request_has_another_hash(one: dict[str, Any], other: dict[str, Any]) -> None:
    same = json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True)
    hashes = [parse_object(json.dumps(value).encode()).sha256 for value in (one, other)]
    assert (hashes[0] == hashes[1]) == same


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"{",
        b"null",
        b"[]",
        b'"text"',
        b"{} {}",
        b'\xef\xbb\xbf{"a":1}',
        b'{"a":"\xff"}',
        b'{"a":NaN}',
        b'{"a":-Infinity}',
        b'{"a":1e999}',
        b'{"a":"\\ud800"}',
        b'{"a":"\\u0000"}',
        b'{"\\u0000":1}',
        b'{"a":[{"b":"x\\u0000"}]}',
        b'{"a":1,"a":2}',
        b'{"a":{"b":1,"c":2,"b":1}}',
        b'{"a":' + b"9" * 5000 + b"}",
        b"[" * 100_000,
        b'{"a":' * 300 + b"1" + b"}" * 300,
        b'{"a":' * 101 + b"1" + b"}" * 101,
        b'{"a":' + b"[" * 100 + b"]" * 100 + b"}",
        '{"a":1}'.encode("utf-16"),
    ],
)
def test_ambiguous_json_is_refused(raw: bytes) -> None:
    with pytest.raises(ApiError) as refusal:
        parse_object(raw)
    assert (refusal.value.status, refusal.value.code) == (400, "INVALID_REQUEST")


def test_lists_and_objects_may_be_nested_a_hundred_deep() -> None:
    raw = b'{"a":' * 60 + b"[" * 40 + b"]" * 40 + b"}" * 60
    assert json.dumps(parse_object(raw).value, separators=(",", ":")).encode() == raw
    assert parse_object(b'{"a":[' + b"[]," * 200 + b"[]]}")


def test_an_escaped_backslash_before_u0000_is_not_a_nul() -> None:
    assert parse_object(b'{"a":"\\\\u0000"}').value == {"a": "\\u0000"}


def test_a_body_of_very_many_values_is_refused_and_commas_in_texts_are_none() -> None:
    with pytest.raises(ApiError, match=f"{MAX_VALUES:,} values"):
        parse_object(b'{"a":[1' + b",1" * (MAX_VALUES + 1) + b"]}")
    assert len(parse_object(b'{"a":"' + b"," * (MAX_VALUES + 1) + b'"}').value["a"]) == MAX_VALUES + 1


def test_an_object_of_very_many_members_is_refused() -> None:
    def members(count: int) -> bytes:
        return b'{"a":{' + b",".join(b'"%d":1' % number for number in range(count)) + b"}}"

    assert len(parse_object(members(MAX_MEMBERS)).value["a"]) == MAX_MEMBERS
    with pytest.raises(ApiError, match=f"more than {MAX_MEMBERS:,} members"):
        parse_object(members(MAX_MEMBERS + 1))
