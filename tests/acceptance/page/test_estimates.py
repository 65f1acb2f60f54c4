"""What a job would take before it is created, and how long open ones will still take."""

import re
from pathlib import Path

from playwright.async_api import expect

from tests.acceptance.page.conftest import PageOf
from tests.support.browser.visits import Visit
from tests.support.files.pdf import pdf
from tests.support.waiting import wait_until

LEFT = re.compile(r"(~|about )\d+ (s|min).* left")
SLOW_S = 40


async def create(visit: Visit, **parameters: object) -> str:
    body = {"job_type": "noop", "parameters": parameters}
    return str((await visit.client.post("/api/jobs/", json=body)).json()["data"]["job_id"])


async def jobs_of(visit: Visit) -> int:
    return int((await visit.client.get("/api/jobs/")).json()["data"]["total"])


async def test_files_wait_with_their_estimates_until_they_are_started(page_of: PageOf, tmp_path: Path) -> None:
    visit = await page_of()
    await visit.page.goto(f"{visit.url}/#/new")
    await visit.page.get_by_label("Estimate first").check()
    await visit.page.set_input_files("#files", [pdf(tmp_path / "a.pdf", 3), pdf(tmp_path / "b.pdf", 5)])
    await expect(visit.page.locator(".item", has_text="a.pdf")).to_contain_text("3 pages")
    await expect(visit.page.locator(".item", has_text="b.pdf")).to_contain_text("5 pages")
    await expect(visit.page.locator(".item[data-state=asked]")).to_have_count(2)
    await visit.shot("estimates-drop")
    assert await jobs_of(visit) == 0
    await visit.page.locator(".item", has_text="a.pdf").get_by_role("button", name="Start").click()
    await expect(visit.page.locator(".item.completed", has_text="a.pdf")).to_be_visible()
    assert await jobs_of(visit) == 1
    await visit.page.set_input_files("#files", pdf(tmp_path / "c.pdf", 7))
    await visit.page.get_by_role("button", name="Start all 2").click()
    await expect(visit.page.locator(".item.completed")).to_have_count(3)


async def test_a_file_that_would_fail_is_named_before_its_start(page_of: PageOf, tmp_path: Path) -> None:
    visit = await page_of()
    await visit.page.goto(f"{visit.url}/#/new")
    await visit.page.get_by_label("Estimate first").check()
    await visit.page.set_input_files("#files", pdf(tmp_path / "locked.pdf", password="x"))
    await expect(visit.page.locator(".item", has_text="locked.pdf")).to_contain_text("This would fail: The PDF is prot")
    await visit.page.get_by_role("button", name="Remove").click()
    await expect(visit.page.locator(".item")).to_have_count(0)


async def test_running_jobs_and_batches_show_how_long_they_will_take(page_of: PageOf) -> None:
    visit = await page_of()
    measured = [await create(visit, sleep_s=0.1) for _ in range(3)]
    await wait_until(lambda: have_ended(visit, measured), 60, "the measured jobs to end")
    running = await create(visit, sleep_s=SLOW_S, steps=80)
    await expect(visit.page.locator(f"[data-job={running}] .left")).to_have_text(LEFT)
    await visit.shot("estimates-list")
    await visit.page.goto(f"{visit.url}/#/jobs/{running}")
    await expect(visit.page.locator(".job-progress .left")).to_have_text(LEFT)
    await visit.shot("estimates-job")
    jobs = [{"job_type": "noop", "parameters": {"sleep_s": SLOW_S, "steps": 80}}] * 2
    batch = (await visit.client.post("/api/jobs/batch", json={"batch_name": "Night", "jobs": jobs})).json()["data"]
    await visit.page.goto(f"{visit.url}/#/batches/{batch['batch_id']}")
    await expect(visit.page.locator(".batch-sum")).to_contain_text("0 of 2 jobs have ended.")
    await expect(visit.page.locator("[data-job] .left").first).to_have_text(LEFT)
    await expect(visit.page.locator(".batch-sum .left")).to_have_text(LEFT)
    await visit.shot("estimates-batch")
    for job_id in (running, *batch["job_ids"]):
        await visit.client.post(f"/api/jobs/{job_id}/cancel")
    await expect(visit.page.locator(".left")).to_have_count(0)


async def have_ended(visit: Visit, job_ids: list[str]) -> bool:
    jobs = [(await visit.client.get(f"/api/jobs/{job_id}")).json()["data"] for job_id in job_ids]
    return all(job["status"] == "completed" for job in jobs)
