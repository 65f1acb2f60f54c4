"""Parameters of a session: what is taken, and every shape that is refused.
See docs/contract/secretary.md#session-parameters."""

import pytest
from pydantic import ValidationError

from schemas.job_types.session import SessionParameters

LEAST = {
    "event": "Soil Days",
    "session": "On soil",
    "url": "https://example.com/talk",
    "filename": "on-soil.md",
    "track": "Main",
}
EVERYTHING = {
    **LEAST,
    "day": "2026-02-28",
    "starttime": "09:30",
    "endtime": "10:15",
    "speakers": ["Speaker one"],
    "speakers_url": ["https://example.com/one"],
    "speakers_image_url": [""],
    "video_url": "https://example.com/talk.mp4",
    "video_transcript": "words",
    "attachments_url": "https://example.com/slides.pdf",
    "source_language": "en",
    "target_language": "de-AT",
    "template": "Session",
    "target": "gardeners",
    "create_archive": False,
    "use_cache": False,
    "webhook": {"url": "https://example.com/hook", "token": "t", "jobId": "theirs"},
}


def test_five_names_are_enough_and_the_rest_has_the_defaults_of_the_contract():
    taken = SessionParameters.model_validate(LEAST)
    assert (taken.source_language, taken.target_language, taken.template) == ("en", "de", "Session")
    assert (taken.create_archive, taken.use_cache, taken.speakers) == (True, True, [])
    assert taken.video_url is taken.video_transcript is taken.attachments_url is taken.day is None


def test_everything_that_the_contract_lists_is_taken():
    taken = SessionParameters.model_validate(EVERYTHING)
    assert taken.model_dump(exclude_unset=True, by_alias=True) == EVERYTHING


def test_null_is_as_good_as_absent_where_nothing_is_a_value():
    names = ("day", "starttime", "endtime", "video_url", "video_transcript", "attachments_url", "target")
    absent = dict.fromkeys(names)
    assert SessionParameters.model_validate({**LEAST, **absent}) == SessionParameters.model_validate(LEAST)


@pytest.mark.parametrize("name", LEAST)
@pytest.mark.parametrize("value", [None, "", " ", 7, "a" * 5000])
def test_each_of_the_five_must_be_given(name, value):
    with pytest.raises(ValidationError):
        SessionParameters.model_validate({**LEAST, name: value})
    with pytest.raises(ValidationError):
        SessionParameters.model_validate({key: given for key, given in LEAST.items() if key != name})


@pytest.mark.parametrize(
    "changes",
    [
        {"url": "ftp://example.com/talk"},
        {"url": "example.com/talk"},
        {"url": "https://user:word@example.com/talk"},
        {"video_url": "/a/file.mp4"},
        {"attachments_url": "https://example.com/a b.pdf"},
        {"filename": ".md"},
        {"day": "28.2.2026"},
        {"day": "2026-02-30"},
        {"day": "2026-2-3"},
        {"starttime": "9:30"},
        {"starttime": "24:00"},
        {"endtime": "10:60"},
        {"speakers": "Ada"},
        {"speakers": ["Ada"] * 101},
        {"speakers": [None]},
        {"target_language": "../de"},
        {"target_language": "German"},
        {"template": "../../etc/passwd"},
        {"template": "Session.md"},
        {"create_archive": "yes"},
        {"video_transcript": "x" * 2_000_001},
        {"color": "red"},
    ],
    ids=lambda changes: next(iter(changes)),
)
def test_what_makes_no_sense_is_refused_and_named(changes):
    with pytest.raises(ValidationError) as caught:
        SessionParameters.model_validate({**LEAST, **changes})
    assert next(iter(changes)) in str(caught.value)
