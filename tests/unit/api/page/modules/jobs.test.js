import assert from "node:assert/strict";
import { test } from "node:test";
import { Listing, newestOf, readOn } from "./static/jobs/listing.js";
import { inSight } from "./static/parts/ranges.js";
import { errorOf, explain, explainJob } from "./static/state/errors.js";
import { jobName, matches, progressText, shownStatus } from "./static/state/shapes.js";
import { texts } from "./static/texts.js";

const job = (n, more = {}) => ({
  job_id: `job-${String(n).padStart(3, "0")}`, job_type: "pdf", status: "pending", created_at: `2026-01-01T00:00:${String(n).padStart(2, "0")}Z`, ...more,
});
const all = { status: "", type: "" };
const listed = (filters, ...jobs) => {
  const listing = new Listing(filters);
  listing.append(jobs, 100);
  return listing;
};

test("pages and changes keep the order of the API", () => {
  const listing = new Listing(all);
  listing.append([job(9), job(7)], 2);
  listing.append([job(5), job(3)], 2);
  listing.refresh([job(10), job(9)], 2);
  assert.deepEqual(listing.order, ["job-010", "job-009", "job-007", "job-005", "job-003"]);
  assert.equal(listing.complete, false);
  listing.append([], 2);
  assert.equal(listing.complete, true);
});

test("jobs of the same second are ordered by id, as the API does", () => {
  const at = { created_at: "2026-01-01T00:00:00Z" };
  assert.deepEqual(listed(all, job(1, at), job(3, at), job(2, at)).order, ["job-003", "job-002", "job-001"]);
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

test("a search needs every word, in any order and case", () => {
  const one = job(1, { parameters: { filename: "upload://x/Annual Report.pdf" }, user_id: "Ada" });
  assert.ok(matches(one, "report ANNUAL"));
  assert.ok(matches(one, "ada"));
  assert.ok(!matches(one, "report monthly"));
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

/** An API with jobs of one second, in its own order, which ids do not show. */
const burst = (count) => {
  const jobs = Array.from({ length: count }, (_, n) => job(0, { job_id: `job-${(n * 7919) % 10007}` }));
  const read = async (limit, after) => {
    const begin = after ? jobs.findIndex((one) => one.job_id === after) + 1 : 0;
    return jobs.slice(begin, begin + limit);
  };
  return { jobs, read };
};

test("every job of a busy second is read, although ids do not show the order of the API", async () => {
  const { read } = burst(1000);
  const listing = new Listing(all);
  for (let pages = 0; pages < 11 && !listing.complete; pages += 1) await readOn(listing, read, 100);
  assert.equal(listing.order.length, 1000);
});

test("reading goes on after the last job that was read, also when that job has left the list", () => {
  const listing = new Listing(all);
  listing.append([job(9), job(7)], 2);
  listing.change({ job_id: "job-007", deleted: true });
  assert.equal(listing.last().job_id, "job-007");
});

test("new jobs that exceed a page are read up to one that is known", async () => {
  const { jobs, read } = burst(1250);
  const listing = new Listing(all);
  listing.append(jobs.slice(1150), 100);
  const found = await newestOf(listing, read, 100);
  assert.equal(found.meets, true);
  listing.refresh(found.jobs, 100);
  assert.equal(listing.order.length, 1250);
});

test("a list that new jobs have left far behind begins again with the newest ones", async () => {
  const { jobs, read } = burst(9500);
  const listing = new Listing(all);
  listing.append(jobs.slice(9400), 100);
  const found = await newestOf(listing, read, 100);
  assert.equal(found.meets, false);
  assert.ok(found.jobs.length >= 100 && found.jobs.length < 9400);
});

test("pages that have only known jobs are passed, so that each reading adds rows or ends the list", async () => {
  const { jobs, read } = burst(1950);
  const listing = new Listing(all);
  listing.append(jobs.slice(600, 700), 100);
  const found = await newestOf(listing, read, 100);
  listing.refresh(found.jobs, 100);
  const before = listing.order.length;
  assert.ok(before > 1000);
  await readOn(listing, read, 100);
  assert.equal(listing.order.length, before + 100);
});

test("an empty list takes the newest page alone", async () => {
  const { read } = burst(1250);
  assert.equal((await newestOf(new Listing(all), read, 100)).jobs.length, 100);
});

test("a name of JavaScript's own objects is a name like any other", () => {
  for (const name of ["constructor", "toString", "__proto__"]) {
    assert.equal(progressText({ step: name, message: "" }), name);
    assert.equal(jobName(job(1, { job_type: name })), name);
    assert.equal(typeof explainJob({ code: name, message: "x" }).remedy, "string");
    assert.equal(explain(errorOf(400, { error: { code: name, message: "wrong" } })).sentence, "Wrong.");
    for (const table of [texts.codes, texts.status, texts.job.timeline.released, texts.job.webhooks.outcome, texts.drop.methods]) {
      assert.equal(table[name], undefined);
    }
  }
});
