"""Requests for jobs: defaults, inheritance, masks, and refusals with the place."""

import json
from typing import Any

import pytest

from piperoll.settings import Settings
from services.api.batches.requests import parse_batch
from services.api.http.bodies import parse_object
from services.api.http.errors import ApiError
from services.api.jobs.requests import Rules, masked, parse_job, restarted

RULES = Rules.of(Settings(files_roots="/data/in", enable_noop=True, max_batch_jobs=3))
HOOK = {"url": "https://example.com/hook", "token": "secret"}


def body(value: Any) -> Any:
    return parse_object(json.dumps(value).encode())


def noop(**parameters: Any) -> dict[str, Any]:
    return {"job_type": "noop", "parameters": parameters}


def refusal(value: Any) -> ApiError:
    with pytest.raises(ApiError) as found:
        (parse_batch if "jobs" in value else parse_job)(body(value), RULES)
    assert found.value.status == 400
    return found.value


def test_parameters_are_echoed_as_sent_except_for_the_token() -> None:
    job = parse_job(body(noop(webhook=HOOK, sleep_s=1)), RULES)
    assert masked(job.sent) == {"webhook": {**HOOK, "token": "***"}, "sleep_s": 1}
    assert job.sent["webhook"]["token"] == "secret"


def test_the_user_in_the_body_takes_precedence_over_the_header() -> None:
    assert parse_job(body(noop()), RULES, "header").user_id == "header"
    assert parse_job(body({**noop(), "user_id": "body"}), RULES, "header").user_id == "body"


def test_jobs_inherit_the_webhook_and_user_of_their_batch() -> None:
    own = {"url": "https://example.com/own"}
    jobs = [noop(), {**noop(webhook=own), "user_id": "mine"}, noop(webhook=None)]
    batch = parse_batch(body({"jobs": jobs, "webhook": HOOK, "user_id": "ours"}), RULES)
    assert [job.sent.get("webhook") for job in batch.jobs] == [HOOK, own, None]
    assert [job.user_id for job in batch.jobs] == ["ours", "mine", "ours"]
    assert batch.name is None


@pytest.mark.parametrize(
    ("bad", "code"),
    [
        (7, "INVALID_REQUEST"),
        ({"job_type": "noop"}, "INVALID_REQUEST"),
        ({"job_type": "video", "parameters": {}}, "UNKNOWN_JOB_TYPE"),
        (noop(steps=-1), "INVALID_PARAMETERS"),
        (noop(webhook={"url": "http://10.0.0.1"}), "BLOCKED_ADDRESS"),
    ],
)
def test_one_bad_job_refuses_the_batch_with_its_index(bad: Any, code: str) -> None:
    error = refusal({"jobs": [noop(), bad]})
    assert (error.code, error.details["index"]) == (code, 1)


@pytest.mark.parametrize(
    "value",
    [
        {"parameters": {}},
        {"job_type": "", "parameters": {}},
        {"job_type": 3, "parameters": {}},
        {"job_type": "noop"},
        {"job_type": "noop", "parameters": None},
        {**noop(), "user_id": ""},
        {**noop(), "user_id": 5},
        {**noop(), "jobtype": "noop"},
        {"jobs": []},
        {"jobs": {}},
        {"jobs": [noop()], "batch_name": ""},
        {"jobs": [noop()], "name": "x"},
    ],
)
def test_a_malformed_request_is_an_invalid_request(value: dict[str, Any]) -> None:
    assert refusal(value).code == "INVALID_REQUEST"


@pytest.mark.parametrize(
    ("parameters", "field"),
    [
        ({}, "parameters"),
        ({"filename": "/data/in/a.pdf", "url": "https://example.com/a.pdf"}, "parameters"),
        ({"url": "ftp://example.com/a.pdf"}, "url"),
        ({"url": "file:///data/in/a.pdf"}, "url"),
        ({"url": "https://user:word@example.com/a.pdf"}, "url"),
        ({"filename": 7}, "filename"),
        ({"filename": "/elsewhere/a.pdf"}, "filename"),
        ({"filename": "/data/in/a.pdf", "page_start": 0}, "page_start"),
        ({"filename": "/data/in/a.pdf", "page_end": True}, "page_end"),
        ({"filename": "/data/in/a.pdf", "page_start": "1"}, "page_start"),
        ({"filename": "/data/in/a.pdf", "page_start": 2, "page_end": 1}, "parameters"),
        ({"filename": "/data/in/a.pdf", "extraction_method": "magic"}, "extraction_method"),
        ({"filename": "/data/in/a.pdf", "template": "../MeetingMinutes"}, "template"),
        ({"filename": "/data/in/a.pdf", "priority": 10}, "priority"),
        ({"filename": "/data/in/a.pdf", "webhook": {"token": "t"}}, "webhook.url"),
        ({"filename": "/data/in/a.pdf", "webhook": {"url": "ftp://example.com"}}, "webhook"),
        ({"filename": "/data/in/a.pdf", "webhook": {"url": "file:///etc/passwd"}}, "webhook"),
    ],
)
def test_wrong_parameters_name_the_field(parameters: dict[str, Any], field: str) -> None:
    error = refusal({"job_type": "pdf", "parameters": parameters})
    assert error.code == "INVALID_PARAMETERS"
    assert [found["field"] for found in error.details["fields"]] == [field]


@pytest.mark.parametrize(
    ("job_type", "parameters", "field", "place", "names"),
    [
        (
            "pdf",
            {"filename": "/data/in/a.pdf", "pages": "1"},
            "pages",
            "parameters",
            {"page_start", "page_end", "webhook"},
        ),
        ("pdf", {"pages": "1"}, "pages", "parameters", {"filename", "url", "page_start"}),
        ("noop", {"webhook": {**HOOK, "secret": "x"}}, "webhook.secret", "webhook", {"url", "token", "jobId"}),
        ("import", {"items": [{"filename": "/data/in/a.pdf", "x": 1}]}, "items.0.x", "items.0", {"filename", "url"}),
    ],
)
def test_an_unknown_parameter_is_refused_with_the_ones_that_are_known(
    job_type: str, parameters: dict[str, Any], field: str, place: str, names: set[str]
) -> None:
    error = refusal({"job_type": job_type, "parameters": parameters})

    assert error.code == "INVALID_PARAMETERS"
    (unknown,) = (one for one in error.details["fields"] if one["field"] == field)
    assert all(name in unknown["message"] for name in names)
    assert "Extra inputs" not in error.message
    assert names <= set(error.details["supported"][place])
    assert "extraction_method" not in error.details["supported"]


@pytest.mark.parametrize(
    ("wrong", "supported"),
    [
        ({"priority": 10}, set()),
        ({"extraction_method": "magic"}, {"extraction_method"}),
        ({"ocr_engine": "magic", "priority": 10}, {"ocr_engine"}),
        ({"url": "https://example.com/a.pdf"}, {"source"}),
    ],
)
def test_allowed_values_are_shown_of_the_wrong_parameters_alone(wrong: dict[str, Any], supported: set[str]) -> None:
    details = refusal({"job_type": "pdf", "parameters": {"filename": "/data/in/a.pdf", **wrong}}).details

    assert set(details.get("supported", ())) == supported


@pytest.mark.parametrize("host", ["127.0.0.1", "10.1.2.3", "[::1]", "169.254.169.254", "0x7f.1", "2130706433"])
def test_a_private_address_is_blocked_in_every_parameter(host: str) -> None:
    address = f"http://{host}/a.pdf"
    fetched = refusal({"job_type": "pdf", "parameters": {"url": address}})
    posted = refusal(noop(webhook={"url": address}))
    assert (fetched.code, posted.code) == ("BLOCKED_ADDRESS", "BLOCKED_ADDRESS")
    assert "PIPEROLL_ALLOW_PRIVATE_SOURCES" in fetched.message
    assert "PIPEROLL_ALLOW_PRIVATE_NETWORKS" in posted.message


def test_networks_of_webhooks_and_networks_that_jobs_fetch_from_are_allowed_apart() -> None:
    fetched, posted = (
        {"job_type": "pdf", "parameters": {"url": "http://127.0.0.1/a"}},
        noop(webhook={"url": "http://[::1]"}),
    )
    hooks = Rules.of(Settings(enable_noop=True, allow_private_networks="127.0.0.0/8,::1/128"))
    sources = Rules.of(Settings(enable_noop=True, allow_private_sources="127.0.0.0/8,::1/128"))
    assert parse_job(body(posted), hooks).job_type == "noop"
    assert parse_job(body(fetched), sources).job_type == "pdf"
    for refused, rules in ((fetched, hooks), (posted, sources)):
        with pytest.raises(ApiError) as found:
            parse_job(body(refused), rules)
        assert found.value.code == "BLOCKED_ADDRESS"


def test_a_restart_links_to_its_job_and_has_its_own_hash() -> None:
    first, second = (restarted(f"job-{n}", "noop", {"sleep_s": 1}, "u", RULES) for n in (1, 2))
    assert (first.retry_of, first.user_id, first.sent) == ("job-1", "u", {"sleep_s": 1})
    assert first.body_sha256 != second.body_sha256
    with pytest.raises(ApiError):
        restarted("job-1", "pdf", {"filename": "/elsewhere/a.pdf"}, None, RULES)


def test_too_many_jobs_are_refused() -> None:
    assert refusal({"jobs": [noop()] * 4}).code == "INVALID_PARAMETERS"


def test_noop_is_unknown_unless_it_was_enabled() -> None:
    with pytest.raises(ApiError) as found:
        parse_job(body(noop()), Rules.of(Settings()))
    assert found.value.code == "UNKNOWN_JOB_TYPE"
    assert "noop" not in found.value.details["supported"]


@pytest.mark.parametrize(
    ("item", "field", "code"),
    [
        ({"filename": "/etc/passwd"}, "items.1.filename", "INVALID_PARAMETERS"),
        ({"filename": "upload://nothing"}, "items.1.filename", "INVALID_PARAMETERS"),
        ({"url": "http://10.0.0.1/a.pdf"}, "items.1.url", "BLOCKED_ADDRESS"),
        ({}, "items.1", "INVALID_PARAMETERS"),
    ],
)
def test_an_item_of_an_import_is_validated_like_the_file_of_a_job(item: dict[str, str], field: str, code: str) -> None:
    items = [{"filename": "/data/in/a.pdf"}, item]
    found = refusal({"job_type": "import", "parameters": {"items": items}})
    assert found.code == code
    assert found.details["fields"][0]["field"] == field


def test_a_source_outside_the_roots_is_refused_with_the_setting_that_allows_it() -> None:
    found = refusal({"job_type": "sync", "parameters": {"source": "file:///etc", "folder_id": "folder-1"}})
    assert found.code == "INVALID_PARAMETERS"
    assert "PIPEROLL_FILES_ROOTS" in found.message
