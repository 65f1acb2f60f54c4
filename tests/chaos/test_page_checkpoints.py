"""A worker that is killed in the middle of a slow document: what it had finished is not done again."""

from collections import Counter
from dataclasses import replace
from typing import Any

from tests.support.files.pdf import pdf
from tests.support.servers.mistral import CHAT, MistralServer, completion
from tests.support.stacks.system import System
from tests.support.waiting import wait_until

PAGES = 6
SLOW = 4
PAGE_S = 1.2


def images_of(mistral: MistralServer) -> list[str]:
    """The image in each request of the vision model, in order."""
    return [_image(request.json) for request in mistral.requests(CHAT) if isinstance(_content(request.json), list)]


def _content(asked: dict[str, Any]) -> Any:
    return asked["messages"][-1]["content"]


def _image(asked: dict[str, Any]) -> str:
    return str(_content(asked)[1]["image_url"]["url"])


async def test_finished_pages_are_not_sent_to_the_vision_model_again(system: System, mistral: MistralServer) -> None:
    earlier = len(images_of(mistral))
    mistral.then(CHAT, *(replace(completion(f"Text {number}"), delay_s=PAGE_S) for number in range(1, SLOW + 1)))
    path = pdf(system.files / "slow.pdf", PAGES)
    job_id = await system.create("pdf", filename=str(path), extraction_method="llm", use_cache=False)
    await wait_until(lambda: len(images_of(mistral)) == earlier + SLOW, 60, "the fourth page to be at the model")
    await system.stack.kill("worker")
    job = await system.wait_for_end(job_id, timeout=90)
    assert job["status"] == "completed", job
    sent = images_of(mistral)[earlier:]
    finished, interrupted = sent[: SLOW - 1], sent[SLOW - 1]
    counts = Counter(sent)
    assert [counts[image] for image in finished] == [1] * (SLOW - 1)
    assert counts[interrupted] == 2
    assert len(counts) == PAGES
    texts = [content["text"] for content in job["results"]["structured_data"]["metadata"]["text_contents"]]
    assert texts[: SLOW - 1] == [f"Text {number}" for number in range(1, SLOW)]
    folder = system.stack.data_dir / "blobs" / job_id / "pages"
    await wait_until(lambda: not folder.exists(), 10, "the checkpoints of the completed job to be deleted")
