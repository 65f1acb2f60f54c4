"""Documents and folders in the page: files go in, a search by meaning finds the place of a text, and they go again."""

import re
from pathlib import Path
from typing import Any

import pymupdf
import pytest
from playwright.async_api import Locator, expect

from tests.acceptance.page.conftest import PageOf
from tests.support.browser.accessibility import findings
from tests.support.browser.visits import Visit

HOSTILE = "<script>alert(1)</script> \u05d0\u05d1\u05d2 \u202eabc " + "long" * 40
WORD = "word" * 2500
PUMP = "The heat pump in the cellar is serviced every year in May."
FIT = "document.documentElement.scrollWidth <= innerWidth"


def leaflet(path: Path) -> Path:
    """A PDF of two pages, the second of which has the sentence about the heat pump."""
    with pymupdf.open() as document:
        document.new_page().insert_text((72, 90), "Contents of this leaflet: the roof, the garden and the cellar.")
        page = document.new_page()
        page.insert_text((72, 90), "The cellar", fontsize=18)
        page.insert_text((72, 130), PUMP)
        page.insert_text((72, 300), "Nothing else is down there.")
        document.save(path)
    return path


async def folder_of(visit: Visit, name: str, **more: Any) -> str:
    reply = await visit.client.post("/v1/folders", json={"name": name, **more})
    assert reply.status_code == 200, reply.text
    return str(reply.json()["data"]["id"])


async def add(visit: Visit, folder: str, name: str, content: bytes, media_type: str, **form: str) -> str:
    """Add a document that is read before this returns; the answer is its id."""
    files = {"file": (name, content, media_type)}
    reply = await visit.client.post("/v1/documents", files=files, data={"folderId": folder, **form})
    assert reply.status_code == 200, reply.text
    return str(reply.json()["data"]["documentId"])


def files_of(visit: Visit) -> Locator:
    return visit.page.get_by_role("list", name="Documents of the folder").get_by_role("listitem")


async def test_a_folder_is_made_filled_indexed_and_searched(page_of: PageOf, tmp_path: Path) -> None:
    visit = await page_of()
    await visit.page.goto(f"{visit.url}/#/documents")
    await expect(visit.page.get_by_text("No documents yet")).to_be_visible()
    await visit.page.get_by_role("button", name="New folder").click()
    await visit.page.get_by_role("button", name="Create the folder").click()
    await expect(visit.page.get_by_text("Give the folder a name.")).to_be_visible()
    await visit.page.get_by_label("Name", exact=True).fill("House")
    await visit.page.get_by_role("button", name="Create the folder").click()
    await expect(visit.page.get_by_role("heading", name="House", level=1)).to_be_visible()
    await expect(visit.page.get_by_text("Not indexed yet.")).to_be_visible()

    (tmp_path / "cat.md").write_text("Our neighbour's cat sleeps on the warm roof of the car.")
    await visit.page.set_input_files("#files", [leaflet(tmp_path / "leaflet.pdf"), tmp_path / "cat.md"])
    await expect(visit.page.locator(".item.completed")).to_have_count(2)
    await expect(files_of(visit)).to_have_count(2)
    await expect(files_of(visit).filter(has_text="Completed")).to_have_count(2)

    await visit.page.get_by_label("What to look for").fill("heating")
    await visit.page.get_by_role("button", name="Search", exact=True).click()
    await expect(visit.page.get_by_text("Index the folder first")).to_be_visible()
    await visit.page.get_by_role("button", name="Index now").click()
    await expect(visit.page.get_by_text("2 documents indexed")).to_be_visible()
    await visit.page.get_by_label("What to look for").fill("When does somebody look after the heating pump?")
    await visit.page.get_by_role("button", name="Search", exact=True).click()
    best = visit.page.get_by_role("list", name="Passages").get_by_role("listitem").first
    await expect(best).to_contain_text(PUMP)
    await expect(best.locator("mark")).to_have_text(["pump"])
    await expect(best).to_contain_text(re.compile(r"similarity 0\.\d\d"))
    await expect(best.get_by_role("img", name="Page 2, with the passage marked")).to_have_js_property("complete", True)
    assert await best.locator("rect").count() >= 1
    await visit.shot("folder-search-wide-light")
    assert await findings(visit.page) == []

    await best.get_by_role("link", name="Page 2", exact=True).click()
    page = visit.page.get_by_role("article", name="Page 2")
    await expect(page).to_contain_text(PUMP)
    await expect(page).to_be_in_viewport()


async def test_the_mark_on_the_picture_is_around_the_ink_of_the_passage(page_of: PageOf, tmp_path: Path) -> None:
    visit = await page_of()
    folder = await folder_of(visit, "Places")
    document = await add(
        visit, folder, "a.pdf", leaflet(tmp_path / "a.pdf").read_bytes(), "application/pdf", includeImages="true"
    )
    jobs = (await visit.client.get("/api/jobs/", params={"target_id": document})).json()["data"]["jobs"]
    reply = await visit.client.get(f"/api/jobs/{jobs[0]['job_id']}/pages/passage", params={"text": PUMP})
    found = reply.json()["data"]
    assert (found["page"], found["picture"], len(found["boxes"])) == (2, True, 1)
    left, top, right, bottom = found["boxes"][0]
    width, height = 595, 842  # points of the page
    assert left * width == pytest.approx(72, abs=2)
    assert top * height < 130 < bottom * height
    assert (bottom - top) * height < 20
    assert right * width == pytest.approx(72 + pymupdf.get_text_length(PUMP, fontsize=11), abs=4)


async def test_a_document_shows_its_pages_and_its_jobs_and_is_read_again_and_removed(
    page_of: PageOf, tmp_path: Path
) -> None:
    visit = await page_of()
    folder = await folder_of(visit, "One")
    document = await add(visit, folder, "leaflet.pdf", leaflet(tmp_path / "a.pdf").read_bytes(), "application/pdf")
    await visit.page.goto(f"{visit.url}/#/documents")
    await visit.page.get_by_role("link", name=re.compile("leaflet.pdf")).click()
    await expect(visit.page.get_by_role("article", name="Page 2")).to_contain_text(PUMP)
    await expect(visit.page.get_by_role("img", name="Picture of page 2")).to_have_count(0)
    await visit.page.get_by_role("button", name="Read again").click()
    await expect(visit.page.get_by_role("img", name="Picture of page 2")).to_be_visible()
    await expect(visit.page.locator("main [data-job]")).to_have_count(2)
    await visit.shot("document-wide-light")
    assert await findings(visit.page) == []
    await visit.page.get_by_role("button", name="Text", exact=True).click()
    await expect(visit.page.locator(".panel")).to_contain_text("The cellar")

    await visit.page.get_by_role("button", name="Remove", exact=True).click()
    await visit.page.get_by_role("button", name="Keep it").click()
    assert (await visit.client.get(f"/v1/documents/{document}")).status_code == 200
    await visit.page.get_by_role("button", name="Remove", exact=True).click()
    await visit.page.get_by_role("button", name="Remove for good").click()
    await expect(visit.page.get_by_text("No documents yet")).to_be_visible()
    assert (await visit.client.get(f"/v1/documents/{document}")).status_code == 404


async def test_a_document_is_taken_out_of_a_folder_and_the_folder_is_removed(page_of: PageOf) -> None:
    visit = await page_of()
    folder = await folder_of(visit, "Short")
    await add(visit, folder, "note.md", b"A note.", "text/markdown")
    await visit.page.goto(f"{visit.url}/#/folders/{folder}")
    await visit.page.get_by_role("button", name="Take out: note.md").click()
    await expect(visit.page.get_by_text("No document is in this folder.")).to_be_visible()
    await visit.page.get_by_role("button", name="Remove the folder").click()
    await visit.page.get_by_role("dialog").get_by_role("button", name="Remove the folder").click()
    await expect(visit.page.get_by_text("There is no folder yet.")).to_be_visible()
    await expect(visit.page.get_by_role("link", name=re.compile("note.md"))).to_be_visible()


async def test_an_index_that_lacks_a_document_says_so_until_it_is_made_again(page_of: PageOf) -> None:
    visit = await page_of()
    folder = await folder_of(visit, "Growing")
    await add(visit, folder, "one.md", PUMP.encode(), "text/markdown")
    await visit.page.goto(f"{visit.url}/#/folders/{folder}")
    await visit.page.get_by_role("button", name="Index now").click()
    await expect(visit.page.get_by_text("1 document indexed")).to_be_visible()
    await add(visit, folder, "two.md", b"Another one.", "text/markdown")
    await expect(visit.page.get_by_text("index again to find them")).to_be_visible()
    await visit.page.get_by_role("button", name="Index again").click()
    await expect(visit.page.get_by_text("2 documents indexed")).to_be_visible()
    await expect(visit.page.get_by_text("index again to find them")).to_have_count(0)


@pytest.mark.parametrize("place", ["documents/doc-00000000-0000-4000-8000-000000000000", "documents/x", "folders/x"])
async def test_what_does_not_exist_is_a_sentence(page_of: PageOf, place: str) -> None:
    visit = await page_of()
    await visit.page.goto(f"{visit.url}/#/{place}")
    await expect(visit.page.get_by_text("belongs to another owner")).to_be_visible()


@pytest.mark.parametrize("phone", [False, True], ids=["wide", "phone"])
@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
async def test_hostile_names_and_texts_are_texts_and_fit(
    page_of: PageOf, tmp_path: Path, phone: bool, dark: bool
) -> None:
    visit = await page_of(phone=phone, dark=dark)
    await visit.page.set_viewport_size({"width": 360, "height": 740} if phone else {"width": 1440, "height": 900})
    look = f"{'phone' if phone else 'wide'}-{'dark' if dark else 'light'}"
    folder = await folder_of(visit, HOSTILE, description=f"<b>{WORD[:3000]}</b>", chunkSize=8000)
    text = f"<img src=x onerror=alert(1)> \u202e{WORD} heat pump"
    document = await add(visit, folder, "<img src=x>.md", text.encode(), "text/markdown")
    images = {"includeImages": "true"}
    await add(visit, folder, "leaflet.pdf", leaflet(tmp_path / "a.pdf").read_bytes(), "application/pdf", **images)
    await visit.page.goto(f"{visit.url}/#/documents")
    await expect(visit.page.get_by_text("<script>alert(1)")).to_be_visible()
    await _look(visit, f"documents-{look}")
    await visit.page.get_by_role("link", name=re.compile(re.escape("<script>"))).click()
    await visit.page.get_by_role("button", name="Index now").click()
    await expect(visit.page.get_by_text("2 documents indexed")).to_be_visible()
    await visit.page.get_by_label("What to look for").fill("heat <script> pump")
    await visit.page.get_by_role("button", name="Search", exact=True).click()
    await expect(visit.page.get_by_role("img", name="Page 2, with the passage marked")).to_be_visible()
    await _look(visit, f"folder-{look}")
    await visit.page.goto(f"{visit.url}/#/documents/{document}")
    await expect(visit.page.get_by_role("heading", name="<img src=x>.md", level=1)).to_be_visible()
    await _look(visit, f"document-{look}")
    assert await visit.page.locator("main img[src=x], main script").count() == 0


async def _look(visit: Visit, name: str) -> None:
    assert await visit.page.evaluate(FIT)
    await visit.shot(name)
    assert await findings(visit.page) == []
