"""Keys of the cache: equal exactly for runs whose results are equal."""

from hypothesis import given
from hypothesis import strategies as st

from piperoll.domain.work import CONDUCT, work_sha256
from schemas.job_types.parameters import JobParameters as Base
from schemas.job_types.pdf import PdfParameters
from services.worker.run.cache import key_of

ASKED = PdfParameters.model_validate({"filename": "/in/a.pdf"})


VALUES = {
    "filename": st.sampled_from(["/in/a.pdf", "/in/b.pdf"]),
    "page_start": st.sampled_from([None, 1, 2]),
    "page_end": st.sampled_from([None, 2, 3]),
    "include_images": st.booleans(),
    "priority": st.integers(0, 9),
    "timeout_s": st.integers(1, 100),
    "target_id": st.sampled_from([None, "t-1"]),
    "webhook": st.sampled_from([None, {"url": "https://example.com/hook", "token": "secret"}]),
    "use_cache": st.booleans(),
    "force_refresh": st.booleans(),
}

pdfs = st.fixed_dictionaries(VALUES).map(PdfParameters.model_validate)

SHAPING = ("page_start", "page_end", "include_images")


@given(pdfs, pdfs, st.sampled_from(["c1", "c2"]), st.sampled_from(["c1", "c2"]))
def test_two_keys_are_equal_exactly_when_everything_that_shapes_the_result_is(
    one: PdfParameters, other: PdfParameters, content: str, other_content: str
) -> None:
    same = content == other_content and all(getattr(one, name) == getattr(other, name) for name in SHAPING)
    keys = (
        key_of("pdf", one, {"content": content}, {"filename"}),
        key_of("pdf", other, {"content": other_content}, {"filename"}),
    )
    assert (keys[0] == keys[1]) is same


@given(pdfs, pdfs)
def test_jobs_wait_for_each_other_exactly_when_both_read_the_cache_and_ask_for_the_same(
    one: PdfParameters, other: PdfParameters
) -> None:
    mine, theirs = work_sha256("pdf", one), work_sha256("pdf", other)
    for asked, fingerprint in ((one, mine), (other, theirs)):
        assert (fingerprint is not None) is (asked.use_cache and not asked.force_refresh)
    if mine is not None and theirs is not None:
        same = all(getattr(one, name) == getattr(other, name) for name in ("filename", *SHAPING))
        assert (mine == theirs) is same


def test_the_type_of_a_job_and_the_version_of_an_engine_are_part_of_the_key() -> None:
    keys = {
        key_of(job_type, ASKED, {"engine": engine}) for job_type in ("pdf", "session") for engine in ("one 1", "one 2")
    }
    assert len(keys) == 4


def test_what_jobs_of_every_type_take_shapes_no_result() -> None:
    """A new parameter for all types must be judged: it is either conduct, or part of every key."""
    assert set(Base.model_fields) <= CONDUCT
