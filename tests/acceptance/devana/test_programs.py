"""The monitors that the Devana API's document prints run against our server with only base URL and key changed.

Those of the document where it is at hand, and equivalents of our own (tests/programs).
"""

import re
import sys

import pytest

from tests.support.clients.customer import DOCUMENT, OTHER_DOCUMENT, Customer, bash, no_slot_free, sources
from tests.support.clients.programs import running


@sources
@pytest.mark.needs("curl")
@pytest.mark.needs("jq")
async def test_the_extraction_monitor_follows_a_job_to_its_end(customer: Customer) -> None:
    async with no_slot_free(customer.system) as release:
        await customer.pdf(DOCUMENT)
        async with bash(customer, "extraction_monitor.sh") as monitor:
            await monitor.prints(r"PENDING\b.*\b0 ?%")
            await release()
            await monitor.prints(r"DONE\b.*\b100 ?%")
            assert await monitor.ends() == 0


@sources
@pytest.mark.needs("curl")
@pytest.mark.needs("jq")
async def test_the_extraction_monitor_reports_a_failure_with_status_1(customer: Customer) -> None:
    job = await customer.until(await customer.broken_pdf(DOCUMENT), "ERROR")
    async with bash(customer, "extraction_monitor.sh") as monitor:
        assert await monitor.ends() == 1
        await monitor.prints(re.escape(job["error"]))


@sources
@pytest.mark.needs("curl")
@pytest.mark.needs("jq")
async def test_the_extraction_monitor_ends_where_there_is_no_job(customer: Customer) -> None:
    async with bash(customer, "extraction_monitor.sh") as monitor:
        assert await monitor.ends() == 0
        await monitor.prints(DOCUMENT)


@sources
async def test_the_job_monitor_waits_for_a_job_and_counts_all(customer: Customer) -> None:
    await customer.until(await customer.broken_pdf("another"), "ERROR")
    async with no_slot_free(customer.system) as release:
        job_id = await customer.pdf(OTHER_DOCUMENT)
        async with running(sys.executable, customer.file("job_monitor.py")) as monitor:
            await monitor.prints(rf"{job_id}: PENDING \(0%\)")
            await release()
            await monitor.prints(rf"{job_id}: DONE \(100%\)")
            assert await monitor.ends() == 0
    await monitor.prints(r"'total': 2")
    await monitor.prints(r"'by_type': {'EXTRACTION': 2}")


@sources
async def test_the_job_monitor_reports_a_failure(customer: Customer) -> None:
    job = await customer.until(await customer.broken_pdf(OTHER_DOCUMENT), "ERROR")
    async with running(sys.executable, customer.file("job_monitor.py")) as monitor:
        assert await monitor.ends() == 0
        await monitor.prints(re.escape(job["error"]))


@sources
@pytest.mark.needs("node")
async def test_the_dashboard_counts_jobs_and_prints_their_changes(customer: Customer) -> None:
    await customer.until(await customer.broken_pdf("another"), "ERROR")
    async with no_slot_free(customer.system) as release:
        job_id = await customer.pdf(DOCUMENT)
        async with running("node", customer.file("job_dashboard.js")) as dashboard:
            await dashboard.prints(r"Total: 2\s+Pending: 1\s+In Progress: 0\s+Completed: 0\s+Errors: 1")
            await release()
            await dashboard.prints(rf"{job_id}\b.*\bPENDING to DONE|{job_id}\b.*\bIN_PROGRESS to DONE")
            await dashboard.prints(r"Completed: 1\s+Errors: 1")
