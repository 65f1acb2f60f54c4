"""The script and the webhook handler that the Devana API's document prints, run as its monitors are."""

import json
import re

import pytest

from tests.support.clients.customer import DOCUMENT, OTHER_DOCUMENT, Customer, bash, sources
from tests.support.clients.programs import OURS, running


@sources
@pytest.mark.needs("curl")
@pytest.mark.needs("jq")
async def test_the_retry_script_repeats_failed_extractions(customer: Customer) -> None:
    failed = await customer.until(await customer.broken_pdf(DOCUMENT), "ERROR")
    generation = await customer.create("transformer", text="A text.", template="NoSuchTemplate", target_id="elsewhere")
    await customer.until(generation, "ERROR")
    async with bash(customer, "retry_failed.sh") as script:
        await script.prints(r"5 minutes")
        assert failed["id"] in script.output
        assert generation in script.output
        assert f"Type: EXTRACTION, Target: {DOCUMENT}" in script.output
    again = [job for job in await customer.jobs(targetId=DOCUMENT) if job["id"] != failed["id"]]
    assert [(job["type"], job["targetId"]) for job in again] == [("EXTRACTION", DOCUMENT)]
    assert again[0]["id"] in script.output, "the answer to the request is the new job"
    assert len(await customer.jobs(targetId="elsewhere")) == 1


HANDLERS = """
const { app, listen } = require("%s");
const handleJobComplete = (targetId, type, metadata) =>
  console.log("complete", JSON.stringify([targetId, type, metadata]));
const handleJobError = (jobId, error) => console.log("error", JSON.stringify([jobId, error]));
%s
listen();
"""


@sources
@pytest.mark.needs("node")
async def test_the_webhook_handler_receives_each_change_and_error(customer: Customer) -> None:
    program = customer.file("webhook_handler.js")
    program.write_text(HANDLERS % (OURS / "web_framework.js", program.read_text("utf-8")), encoding="utf-8")
    async with running("node", program) as handler:
        await handler.prints(r"listening on port \d+\.")
        port = re.findall(r"port (\d+)", handler.output)[0]
        endpoint = {"url": f"http://127.0.0.1:{port}/webhook/job-status"}
        reply = await customer.system.client.post("/v1/webhooks", json=endpoint, headers=customer.headers)
        assert reply.status_code == 200, reply.text
        done, broken = await customer.pdf(DOCUMENT), await customer.broken_pdf(OTHER_DOCUMENT)
        failed = await customer.until(broken, "ERROR")
        await handler.prints(rf'complete \["{DOCUMENT}","EXTRACTION",{{.*"pageCount":2')
        await handler.prints(re.escape(f"error {json.dumps([broken, failed['error']], separators=(',', ':'))}"))
        for job_id in (done, broken):
            for status in ("PENDING", "IN_PROGRESS"):
                await handler.prints(rf"{job_id}\b.*\b{status}")
