"""The pictures that a job made of its pages: which one is chosen, and when."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from starlette.requests import Request

from piperoll.store.blobs import AsyncBlobs, Blobs
from schemas.claims import Claim
from schemas.events import Event, JobCancelled, JobCompleted, JobCreated, JobStarted
from schemas.job_types.pdf import PREVIEW_OUTPUT
from schemas.pages import IMAGE_OUTPUT, WORDS, PageWord, by_size
from services.api.http.errors import ApiError
from services.api.outputs.files import Output, Outputs
from services.api.pages.pictures import find_picture, has_picture, picture_response
from services.api.pages.words import words_of
from services.worker.pages.drawing import PAGE_IMAGE, PREVIEW
from tests.support.rows import JOB, row_of

CLAIM = Claim(uri="p", sha256="0", size=2)
CREATED = JobCreated(job_type="pdf", parameters=CLAIM, body_sha256="0")
RUNNING: list[Event] = [CREATED, JobStarted(number=1, run="a", worker="w")]
COMPLETED: list[Event] = [*RUNNING, JobCompleted(run="a", result=CLAIM)]


class Drawn:
    """The outputs of a job whose run `a` drew some pages."""

    def __init__(self, root: Path, *names: str) -> None:
        blobs = Blobs(root.as_uri())
        for name in names:
            blobs.put_named(f"{JOB}/{name}", b"\xff\xd8", "image/jpeg")
        self.blobs = blobs
        self.store = AsyncBlobs(blobs)
        self.outputs = Outputs(self.store)

    async def name(self, events: list[Event], page: str, width: int = 800) -> str | None:
        found = await find_picture(self.outputs, row_of(events), page, width)
        return None if found is None else found.name


@pytest.fixture
async def drawn(tmp_path: Path) -> AsyncIterator[Drawn]:
    made = Drawn(tmp_path, "a/images/page_002.jpg", "a/previews/preview_002.jpg", "b/images/page_003.jpg")
    yield made
    made.store.close()


def test_the_sizes_are_those_in_which_pages_are_drawn() -> None:
    assert (IMAGE_OUTPUT.side, PREVIEW_OUTPUT.side) == (PAGE_IMAGE.side, PREVIEW.side)


@pytest.mark.parametrize(("width", "best"), [(1, PREVIEW_OUTPUT), (360, PREVIEW_OUTPUT), (361, IMAGE_OUTPUT)])
def test_the_smallest_picture_that_is_large_enough_is_the_best(width: int, best: object) -> None:
    assert by_size((IMAGE_OUTPUT, PREVIEW_OUTPUT), width)[0] is best


def test_if_none_is_large_enough_the_largest_is_the_best() -> None:
    assert by_size((PREVIEW_OUTPUT, IMAGE_OUTPUT), 5000) == [IMAGE_OUTPUT, PREVIEW_OUTPUT]


@pytest.mark.parametrize("events", [RUNNING, COMPLETED], ids=["running", "completed"])
async def test_a_picture_is_found_as_soon_as_it_is_drawn(drawn: Drawn, events: list[Event]) -> None:
    assert await drawn.name(events, "2") == "images/page_002.jpg"
    assert await drawn.name(events, "2", width=100) == "previews/preview_002.jpg"


async def test_a_picture_that_is_not_drawn_yet_may_still_come_and_after_the_end_it_may_not(drawn: Drawn) -> None:
    for page in ("1", "3", "999"):
        assert await drawn.name(RUNNING, page) is None
        assert await drawn.name([CREATED], page) is None
        with pytest.raises(ApiError, match="include_images") as refused:
            await drawn.name(COMPLETED, page)
        assert refused.value.status == 404


async def test_a_job_that_was_cancelled_and_a_type_without_pictures_have_none(drawn: Drawn) -> None:
    other = CREATED.model_copy(update={"job_type": "noop"})
    for events in ([*RUNNING, JobCancelled(by="o")], [other, RUNNING[1]]):
        with pytest.raises(ApiError) as refused:
            await drawn.name(events, "2")
        assert refused.value.status == 404


@pytest.mark.parametrize("page", ["0", "-1", "x", "2.0", "\u0662", "9" * 20, "..", ""])
async def test_a_text_that_is_not_the_number_of_a_page_is_not_found(drawn: Drawn, page: str) -> None:
    with pytest.raises(ApiError, match="page not found"):
        await drawn.name(COMPLETED, page)


def test_a_client_that_has_the_picture_gets_no_body(drawn: Drawn) -> None:
    def response(**headers: str):  # type: ignore[no-untyped-def]
        encoded = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
        request = Request({"type": "http", "headers": encoded})
        return picture_response(request, drawn.outputs, Output("images/page_002.jpg", f"{JOB}/a/x", 2))

    first = response()
    assert (first.status_code, first.media_type, first.headers["cache-control"]) == (
        *(200, "image/jpeg"),
        "private, no-cache",
    )
    tag = first.headers["etag"]
    assert response(if_none_match=f'"other", {tag}').status_code == 304
    assert response(if_none_match='"other"').status_code == 200


async def test_the_words_of_a_page_are_those_beside_its_picture_and_damaged_ones_are_none(drawn: Drawn) -> None:
    word = PageWord("pump", 0.1, 0.2, 0.3, 0.4, 0)
    drawn.blobs.put_named(f"{JOB}/a/words/page_002.json", WORDS.dump_json([word]), "application/json")
    drawn.blobs.put_named(f"{JOB}/a/words/page_003.json", b'[["pump", 1]]', "application/json")
    row = row_of(COMPLETED)
    assert await words_of(drawn.outputs, row, 2) == [word]
    assert [list(await words_of(drawn.outputs, row, page)) for page in (1, 3)] == [[], []]


async def test_a_page_of_too_many_words_has_no_boxes(drawn: Drawn) -> None:
    many = WORDS.dump_json([PageWord("pump", 0.12345, 0.12345, 0.12345, 0.12345, 0)] * 25_000)
    drawn.blobs.put_named(f"{JOB}/a/words/page_002.json", many, "application/json")
    assert list(await words_of(drawn.outputs, row_of(COMPLETED), 2)) == []


async def test_whether_there_is_a_picture_is_known_without_reading_it(drawn: Drawn) -> None:
    assert [await has_picture(drawn.outputs, row_of(COMPLETED), page) for page in (2, 3)] == [True, False]
