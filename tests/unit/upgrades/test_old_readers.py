"""Readers are deployed before writers, but subscribers are not ours: an event of today fits the schemas of before.

The schemas in tests/golden/states are copies of `schemas/json` at earlier states; they are never rewritten.
"""

import json
from functools import cache
from pathlib import Path
from types import NoneType
from typing import Annotated, Any, get_args, get_origin

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from pydantic.fields import FieldInfo

from schemas import generate
from schemas.claims import Claim
from schemas.events import EVENTS, Event
from tests.support.golden.histories import GOLDEN

STATES = sorted(state.name for state in (GOLDEN / "states").iterdir())
RECORDED = [(state, file.stem) for state in STATES for file in sorted((GOLDEN / "states" / state).glob("schemas/*"))]


@pytest.mark.parametrize(("state", "type_name"), RECORDED)
@given(data=st.data())
def test_an_event_of_today_fits_the_schema_of_an_earlier_state(state: str, type_name: str, data: st.DataObject) -> None:
    event = data.draw(instances(event_of(type_name)))
    body = json.loads(event.model_dump_json(exclude_none=True))
    validator_of(GOLDEN / "states" / state / "schemas" / f"{type_name}.json").validate(body)


@pytest.mark.parametrize(("state", "type_name"), RECORDED)
def test_an_earlier_reader_passes_over_new_fields(state: str, type_name: str) -> None:
    schema = json.loads((GOLDEN / "states" / state / "schemas" / f"{type_name}.json").read_text())
    assert schema["additionalProperties"] is True
    assert all(part["additionalProperties"] is True for part in schema.get("$defs", {}).values())


@pytest.mark.parametrize(("state", "type_name"), RECORDED)
def test_a_field_keeps_its_name_and_its_default(state: str, type_name: str) -> None:
    """A record of before without the field means today what it meant then."""
    before = json.loads((GOLDEN / "states" / state / "schemas" / f"{type_name}.json").read_text())
    today = generate.event_schema(event_of(type_name))
    assert set(before["properties"]) <= set(today["properties"])
    assert set(today.get("required", ())) <= set(before.get("required", ())), "an old record may lack the field"
    for name, field in before["properties"].items():
        assert today["properties"][name].get("default") == field.get("default"), name


def event_of(type_name: str) -> type[Event]:
    """The event of a recorded type. A version that is no longer written is read by an upcaster and a golden history."""
    event = EVENTS[type_name.split(".")[1]]
    assert event.version == int(type_name.rpartition(".v")[2]), "leave such types out of this test, not of the folder"
    return event


@cache
def validator_of(file: Path) -> Draft202012Validator:
    return Draft202012Validator(json.loads(file.read_text(encoding="utf-8")))


def instances(model: type[Any]) -> st.SearchStrategy[Any]:
    """Any instance that its writers may make."""
    return st.builds(model, **{name: values(field) for name, field in model.model_fields.items()})


def values(field: FieldInfo) -> st.SearchStrategy[Any]:
    """Any value of a field, within its bounds, which do not concern null."""
    kinds = get_args(field.annotation)
    if NoneType not in kinds:
        return bounded(field.annotation, field)
    return st.none() | st.one_of([bounded(kind, field) for kind in kinds if kind is not NoneType])


def bounded(kind: Any, field: FieldInfo) -> st.SearchStrategy[Any]:
    base, *inner = get_args(kind) if get_origin(kind) is Annotated else (kind,)
    bounds = [*field.metadata, *(bound for one in inner for bound in one.metadata)]
    return st.from_type(Annotated[base, *bounds] if bounds else base)


st.register_type_strategy(Claim, instances(Claim))
