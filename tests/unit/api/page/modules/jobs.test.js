import assert from "node:assert/strict";
import { test } from "node:test";
import { Listing } from "./static/jobs/listing.js";
import { inSight } from "./static/parts/ranges.js";
import { jobName, shownStatus, withLatestEta } from "./static/state/shapes.js";

const job = (n, more = {}) => ({
  job_id: `job-${String(n).padStart(3, "0")}`, job_type: "pdf", status: "pending", created_at: `2026-01-01T00:00:${String(n).padStart(2, "0")}Z`, ...more,
});
const all = { status: "", type: "", text: "" };
const listed = (filters, ...jobs) => {
  const listing = new Listing(filters);
  listing.append(jobs, 100);
  return listing;
};

test("pages keep the order of the API, also of jobs of the same second", () => {
  const at = { created_at: "2026-01-01T00:00:09Z" };
  const listing = new Listing(all);
  listing.append([job(8, at), job(9, at)], 2);
  assert.equal(listing.cursor, "job-009");
  listing.append([job(7, at), job(3)], 2);
  listing.refresh([job(10), job(8, at)], 2);
  assert.deepEqual(listing.order, ["job-010", "job-008", "job-009", "job-007", "job-003"]);
  assert.equal(listing.cursor, "job-003");
  assert.equal(listing.complete, false);
  listing.append([], 2);
  assert.equal(listing.complete, true);
});

test("after a gap the list begins again, and a page that is not full is the whole list", () => {
  const listing = new Listing(all);
  listing.append([job(2), job(1)], 2);
  listing.refresh([job(9), job(8)], 2);
  assert.deepEqual(listing.order, ["job-009", "job-008"]);
  assert.equal(listing.cursor, "job-008");
  listing.refresh([job(9)], 2);
  assert.deepEqual([listing.order, listing.complete], [["job-009"], true]);
});

test("a change keeps the parameters and the name, which the stream does not have", () => {
  const listing = listed(all, job(1, { parameters: { filename: "upload://x/a.pdf" } }));
  assert.equal(listing.change(job(1, { status: "processing" })), false);
  assert.equal(jobName(listing.jobs.get("job-001")), "a.pdf");
  assert.equal(listing.jobs.get("job-001").status, "processing");
});

test("an unknown newer job asks for the newest page, an older one that was not reached yet does not", () => {
  const listing = listed(all, job(5), job(4));
  listing.complete = false;
  assert.equal(listing.change(job(6)), true);
  assert.equal(listing.change(job(1)), false);
});

test("a job that no longer passes the filter, and one that was erased, leave the list", () => {
  const listing = listed({ status: "processing", type: "" }, job(1, { status: "processing" }), job(2, { status: "processing" }));
  listing.change(job(1, { status: "completed" }));
  listing.change({ job_id: "job-002", deleted: true });
  assert.deepEqual(listing.order, []);
});

test("a failure asks for its details, which the stream does not have", () => {
  const listing = listed(all, job(1));
  assert.equal(listing.change(job(1, { status: "failed", error: { code: "TIMEOUT", message: "short" } })), true);
});

test("a cancelled job is shown as cancelled", () => {
  assert.equal(shownStatus(job(1, { status: "failed", error: { code: "CANCELLED" } })), "cancelled");
  assert.equal(shownStatus(job(1, { status: "failed", error: { code: "TIMEOUT" } })), "failed");
});

test("in a search each unknown job asks the server, which knows the words of jobs", () => {
  const listing = listed({ ...all, text: "ledger" }, job(5));
  listing.complete = false;
  assert.equal(listing.change(job(1)), true);
  assert.equal(listing.change(job(5, { status: "processing" })), false);
  assert.equal(listing.change({ job_id: "job-001", deleted: true }), false);
});

test("a name that is missing or strange is still a name", () => {
  for (const parameters of [undefined, {}, { filename: "/" }, { text: 7 }, { text: "x".repeat(10000) }]) {
    const name = jobName(job(1, { parameters }));
    assert.ok(name.length > 0 && name.length <= 200, name);
  }
});

test("only the rows in sight are in the document, at both ends of a long list", () => {
  assert.deepEqual(inSight(0, 480, 48, 100000), { first: 0, last: 18 });
  assert.deepEqual(inSight(48 * 99990, 480, 48, 100000), { first: 99982, last: 100000 });
  assert.deepEqual(inSight(48 * 500, 480, 48, 3), { first: 3, last: 3 });
});

test("a hundred thousand jobs are merged and changed quickly", () => {
  const listing = new Listing(all);
  for (let page = 0; page < 1000; page += 1) {
    const jobs = Array.from({ length: 100 }, (_, n) => job(0, { job_id: `job-${999999 - page * 100 - n}` }));
    listing.append(jobs, 100);
  }
  assert.equal(listing.order.length, 100000);
  const begun = performance.now();
  for (let n = 0; n < 1000; n += 1) listing.change(job(0, { job_id: `job-${999999 - n * 90}`, status: "processing" }));
  assert.ok(performance.now() - begun < 1000);
});

test("the inspection of an estimate does not stand in the list", () => {
  const listing = listed(all, job(2), job(1, { job_type: "inspection" }));
  assert.equal(listing.change(job(3, { job_type: "inspection" })), false);
  listing.refresh([job(4, { job_type: "inspection" }), job(2)], 2);
  assert.deepEqual(listing.order, ["job-002"]);
});

test("a batch ends no earlier than its open jobs", () => {
  const at = (second) => ({ eta: { time: `2026-01-01T00:00:${second}Z`, seconds: 1 } });
  const jobs = [job(1, at(20)), job(2, { ...at(50), status: "completed" }), job(3)];
  assert.equal(withLatestEta(at(10), jobs).eta.time, "2026-01-01T00:00:20Z");
  assert.equal(withLatestEta(at(30), jobs).eta.time, "2026-01-01T00:00:30Z");
  assert.equal(withLatestEta({}, []).eta, undefined);
});
