"""Templates in the page: seen, changed, tried on a text, and chosen for new jobs."""

from pathlib import Path

import pytest
from playwright.async_api import expect

from tests.acceptance.page.conftest import PageOf
from tests.support.browser.accessibility import findings
from tests.support.files.pdf import pdf

MINUTES = "# Budget of May\n\nParticipants: Ada, Grace\n\n- [ ] Ada sends the figures\n"
HOSTILE = "<script>alert(1)</script> \u05d0\u05d1 \u202e" + "word" * 2500
FIT = "document.documentElement.scrollWidth <= innerWidth"


async def test_a_template_is_seen_and_tried_on_a_text(page_of: PageOf) -> None:
    visit = await page_of()
    await visit.page.goto(f"{visit.url}/#/templates")
    await visit.page.get_by_role("link", name="MeetingMinutes").click()
    fields = visit.page.get_by_role("region", name="Fields").first
    await expect(fields.get_by_role("cell", name="participants", exact=True)).to_be_visible()
    await expect(visit.page).to_have_title("MeetingMinutes · Piperoll")
    await expect(visit.page.get_by_role("textbox", name="Text of the template")).to_have_value(
        (await visit.client.get("/api/templates")).json()["data"]["templates"][5]["content"]
    )
    await visit.page.get_by_role("button", name="Fill the template").click()
    await expect(visit.page.get_by_text("Paste a text first.")).to_be_visible()
    await visit.page.get_by_label("Text to fill it from").fill(MINUTES)
    await visit.page.get_by_role("button", name="Fill the template").click()
    trial = visit.page.get_by_role("region", name="Try it")
    await expect(trial.get_by_role("region", name="Filled template")).to_contain_text("Participants")
    await expect(
        trial.get_by_role("region", name="Fields").get_by_role("cell", name="participants", exact=True)
    ).to_be_visible()
    await visit.shot("template-wide-light")
    assert await findings(visit.page) == []
    await trial.get_by_role("link", name="Open the job").click()
    await expect(visit.page.get_by_role("heading", name="MeetingMinutes", level=1)).to_be_visible()


async def test_a_changed_template_is_tried_as_it_is_and_kept_until_it_is_undone(page_of: PageOf) -> None:
    visit = await page_of()
    await visit.page.goto(f"{visit.url}/#/templates/Summary")
    text = visit.page.get_by_role("textbox", name="Text of the template")
    shipped = await text.input_value()
    await text.fill("Own words, then {{text}}")
    await visit.page.get_by_label("Text to fill it from").fill("the text")
    await visit.page.get_by_role("button", name="Fill the template").click()
    trial = visit.page.get_by_role("region", name="Try it")
    await expect(trial.get_by_role("region", name="Filled template")).to_contain_text("Own words, then the text")
    await visit.page.get_by_role("link", name="All templates").click()
    await expect(visit.page.get_by_role("link", name="Summary")).to_contain_text("changed")
    await visit.page.get_by_role("link", name="Summary").click()
    await expect(text).to_have_value("Own words, then {{text}}")
    async with visit.page.expect_download() as saved:
        await visit.page.get_by_role("button", name="Save as a file").click()
    assert (await saved.value).suggested_filename == "Summary.md"
    await text.fill("{{broken|")
    await visit.page.get_by_label("Text to fill it from").fill("the text")
    await visit.page.get_by_role("button", name="Fill the template").click()
    await expect(trial.get_by_role("alert").filter(has_text="line 1")).to_be_visible()
    await visit.page.get_by_role("button", name="Undo the changes").click()
    await expect(text).to_have_value(shipped)
    await visit.page.goto(f"{visit.url}/#/templates/Nothing")
    await expect(visit.page.get_by_text("There is no template of this name.")).to_be_visible()


async def test_a_listed_template_is_chosen_for_a_new_job(page_of: PageOf, tmp_path: Path) -> None:
    visit = await page_of()
    await visit.page.goto(f"{visit.url}/#/new")
    choice = visit.page.get_by_label("Template", exact=True)
    await expect(choice.get_by_role("option")).to_have_count(12)
    await choice.select_option("Summary")
    await visit.page.set_input_files("#files", pdf(tmp_path / "a.pdf", 1))
    await visit.page.locator(".item.completed").get_by_role("link", name="Open").click()
    await expect(visit.page.get_by_role("region", name="Filled template")).to_be_visible()
    await visit.page.get_by_role("tab", name="Parameters").click()
    await expect(visit.page.get_by_role("tabpanel")).to_contain_text("Summary")


@pytest.mark.parametrize("phone", [False, True], ids=["wide", "phone"])
@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
async def test_a_hostile_text_is_text_and_fits(page_of: PageOf, phone: bool, dark: bool) -> None:
    visit = await page_of(phone=phone, dark=dark)
    await visit.page.set_viewport_size({"width": 360, "height": 740} if phone else {"width": 1440, "height": 900})
    look = f"{'phone' if phone else 'wide'}-{'dark' if dark else 'light'}"
    await visit.page.goto(f"{visit.url}/#/templates")
    await expect(visit.page.get_by_role("link", name="MeetingMinutes")).to_be_visible()
    assert await visit.page.evaluate(FIT)
    assert await findings(visit.page) == []
    await visit.shot(f"templates-{look}")
    await visit.page.goto(f"{visit.url}/#/templates/Letter")
    await visit.page.get_by_role("textbox", name="Text of the template").fill(f"{HOSTILE}\n\n{{{{text}}}}")
    await visit.page.get_by_label("Text to fill it from").fill(HOSTILE)
    await visit.page.get_by_role("button", name="Fill the template").click()
    await expect(visit.page.get_by_role("region", name="Filled template")).to_contain_text("<script>alert(1)")
    assert await visit.page.evaluate(FIT)
    assert await findings(visit.page) == []
    await visit.shot(f"template-{look}")
    assert await visit.page.locator("main script").count() == 0
