"""Files and addresses that become jobs."""

from pathlib import Path

from playwright.async_api import Route, expect

from tests.acceptance.page.conftest import PageOf
from tests.support.browser.visits import Visit
from tests.support.files.pdf import pdf


async def at_new_job(visit: Visit) -> None:
    await visit.page.goto(f"{visit.url}/#/new")
    await expect(visit.page.get_by_role("heading", name="New job")).to_be_visible()


async def test_two_files_become_jobs_and_their_text_is_shown(page_of: PageOf, tmp_path: Path) -> None:
    visit = await page_of()
    await at_new_job(visit)
    (tmp_path / "notes.md").write_text("# Minutes\n\nA **bold** word and <b onclick=alert(1)>markup</b>.\n")
    await visit.page.set_input_files("#files", [pdf(tmp_path / "report.pdf", 2), tmp_path / "notes.md"])
    await expect(visit.page.locator(".item.completed")).to_have_count(2)
    await visit.page.locator(".item", has_text="report.pdf").get_by_role("link", name="Open").click()
    await expect(visit.page.get_by_role("region", name="Text")).to_contain_text("This is page 2.")
    await visit.page.get_by_role("tab", name="Pages").click()
    await expect(visit.page.get_by_role("article", name="Page 2")).to_contain_text("This is page 2.")
    picture = visit.page.get_by_role("img", name="Picture of page 2")
    await expect(picture).to_have_js_property("complete", True)
    assert await picture.evaluate("(image) => image.naturalHeight") > 800
    await visit.page.get_by_role("link", name="New job").click()
    await visit.page.locator(".item", has_text="notes.md").get_by_role("link", name="Open").click()
    text = visit.page.locator(".markdown")
    await expect(text.get_by_role("heading", name="Minutes")).to_be_visible()
    await expect(text).to_contain_text("<b onclick=alert(1)>markup</b>")


async def test_options_become_parameters_and_wrong_ones_refuse_before_the_upload(
    page_of: PageOf, tmp_path: Path
) -> None:
    visit = await page_of()
    await at_new_job(visit)
    await visit.page.get_by_label("First page").fill("3")
    await visit.page.get_by_label("Last page").fill("2")
    await visit.page.set_input_files("#files", pdf(tmp_path / "report.pdf"))
    await expect(visit.page.locator(".toast")).to_contain_text("The first page must be a number from 1")
    await expect(visit.page.locator(".item")).to_have_count(0)
    await visit.page.get_by_label("Last page").fill("3")
    await visit.page.set_input_files("#files", pdf(tmp_path / "report.pdf"))
    await expect(visit.page.locator(".item.completed")).to_have_count(1)
    (job,) = (await visit.client.get("/api/jobs/")).json()["data"]["jobs"]
    assert (job["parameters"]["page_start"], job["parameters"]["page_end"]) == (3, 3)


async def test_what_fails_and_what_is_refused_have_sentences(page_of: PageOf, tmp_path: Path) -> None:
    visit = await page_of()
    await at_new_job(visit)
    (tmp_path / "empty.pdf").touch()
    await visit.page.set_input_files("#files", [tmp_path / "empty.pdf", pdf(tmp_path / "locked.pdf", password="x")])
    await expect(visit.page.locator(".item", has_text="empty.pdf")).to_contain_text("The file is empty.")
    await expect(visit.page.locator(".item", has_text="locked.pdf")).to_contain_text("protected by a password")
    await visit.page.get_by_label("Or paste an address").fill("javascript:alert(1)")
    await visit.page.get_by_role("button", name="Add").click()
    await expect(visit.page.get_by_text("That is not an address")).to_be_visible()
    await visit.page.get_by_label("Or paste an address").fill("http://169.254.169.254/latest")
    await visit.page.get_by_role("button", name="Add").click()
    await expect(visit.page.locator(".item", has_text="169.254")).to_contain_text("Use a public address")


async def test_a_creation_whose_answer_was_lost_is_repeated_and_makes_one_job(page_of: PageOf, tmp_path: Path) -> None:
    visit = await page_of()
    await at_new_job(visit)
    lost: list[str] = []

    async def lose_the_first_answer(route: Route) -> None:
        if route.request.method == "POST" and not lost:
            lost.append((await route.fetch()).headers["piperoll-position"])
            await route.abort()
        else:
            await route.continue_()

    await visit.page.route("**/api/jobs/", lose_the_first_answer)
    await visit.page.set_input_files("#files", pdf(tmp_path / "once.pdf", 1))
    await expect(visit.page.locator(".item.completed")).to_have_count(1)
    assert len(lost) == 1
    assert (await visit.client.get("/api/jobs/")).json()["data"]["total"] == 1
