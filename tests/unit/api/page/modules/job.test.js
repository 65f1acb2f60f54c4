import assert from "node:assert/strict";
import { test } from "node:test";
import { timeline } from "./static/job/facts.js";
import { filesOf, hasPictures, pagesOf, tablesOf, textsOf, warningsOf } from "./static/job/results.js";
import { duration, left, relative, size } from "./static/parts/formats.js";
import { ApiError, errorOf, explain, explainJob } from "./static/state/errors.js";
import { jobHash, jobsHash, parseRoute } from "./static/state/places.js";

let sequence = 0;
const fact = (name, data) => ({ type: `piperoll.${name}.v1`, time: "2026-01-01T00:00:00Z", position: "0:1", sequence: ++sequence, data });
const titles = (...facts) => timeline(facts, (code) => `[${code}]`).map((entry) => entry.title);

test("reports of progress that follow each other are one entry", () => {
  const entries = timeline([fact("JobStarted", { number: 1, worker: "w" }), fact("JobProgress", { step: "extracting_text", percent: 30, page: 1, pages: 9 }),
    fact("JobProgress", { step: "extracting_text", percent: 40, page: 3, pages: 9 }), fact("JobCompleted", { duration_ms: 1500 })], String);
  assert.equal(entries.length, 3);
  assert.match(entries[1].text, /2 reports of progress, up to 40 %: Reading the text, page 3 of 9/);
});

test("a lost worker, a pause and a retry have entries with their reasons", () => {
  const facts = [fact("JobStarted", { number: 1, worker: "a" }), fact("JobStarted", { number: 2, worker: "b" }), fact("JobReleased", { reason: "drain" }),
    fact("JobStarted", { number: 3, worker: "c" }), fact("JobRetryScheduled", { error_code: "TIMEOUT", delay_s: 90, charged: false })];
  assert.deepEqual(titles(...facts), ["Started", "Attempt 1 lost its worker", "Attempt 2 started", "Paused", "Attempt 3 started", "Failed for now"]);
  assert.match(timeline(facts, (code) => `[${code}]`)[5].text, /\[TIMEOUT\] The next attempt follows after 1 min 30 s\. A fault of the installation/);
});

test("a fact of a later release is shown by its name", () => {
  assert.deepEqual(titles(fact("JobTeleported", {})), ["JobTeleported"]);
});

const pdf = { job_type: "pdf", parameters: {}, results: { structured_data: {
  extracted_text: "--- Seite 1 ---\nOne\n\n--- Seite 2 ---\nTwo", template_fields: { title: "T", list: [1] }, transformed_text: "# T", rows: [{ a: 1, b: null }],
  metadata: { warnings: ["w"] } }, asset_urls: ["/api/jobs/job-1/files/images/a%20b.png", null] } };

test("results are texts, tables, pages, files and warnings", () => {
  assert.deepEqual(textsOf(pdf).map(({ name, markdown }) => [name, markdown]), [["transformed_text", true], ["extracted_text", false]]);
  assert.deepEqual(tablesOf(pdf).map((table) => table.rows), [[["title", "T"], ["list", "[1]"]], [["1", ""]]]);
  assert.deepEqual(pagesOf(pdf), [{ page: 1, text: "One" }, { page: 2, text: "Two" }]);
  assert.deepEqual(filesOf(pdf), [{ url: "/api/jobs/job-1/files/images/a%20b.png", name: "images/a b.png" }]);
  assert.deepEqual(warningsOf(pdf), ["w"]);
});

test("a job without results has none of these", () => {
  for (const read of [textsOf, tablesOf, pagesOf, filesOf, warningsOf]) assert.deepEqual(read({ job_type: "noop" }), []);
});

test("every error becomes a sentence and what to do", () => {
  const bodies = [null, "text", {}, { error: { code: "CONFLICT", message: "the job has ended" } }, { error: { code: "NEW_CODE", message: "" } }];
  for (const body of bodies) {
    const { sentence, remedy } = explain(errorOf(409, body));
    assert.match(sentence, /^[A-Z].*[.]$/);
    assert.match(remedy, /^[A-Z].*[.]$/);
  }
  const wrong = new ApiError(400, "INVALID_PARAMETERS", "", { fields: [{ field: "page_end", message: "is too small" }] });
  assert.equal(explain(wrong).sentence, "page_end: is too small.");
  assert.match(explainJob({ code: "UNHEARD_OF", message: "It broke." }).remedy, /Run the job again/);
});

test("places of the page become fragments and back", () => {
  assert.equal(parseRoute("").name, "jobs");
  assert.deepEqual(parseRoute(jobHash("job-1", "pages")), { name: "job", id: "job-1", tab: "pages" });
  assert.deepEqual(parseRoute(jobsHash({ status: "failed", text: "a b&c" })).filters, { status: "failed", type: "", text: "a b&c" });
  assert.deepEqual(parseRoute("#sign-in=pn_a-B_1"), { name: "sign-in", nonce: "pn_a-B_1" });
  assert.equal(parseRoute("#/%E0%A4%A").name, "lost");
  assert.equal(parseRoute("#/jobs/a/b").name, "lost");
});

test("times and sizes are short", () => {
  assert.deepEqual([0, 950, 1400, 59999, 185000, 7260000].map(duration), ["0 ms", "950 ms", "1.4 s", "1 min", "3 min 5 s", "2 h 1 min"]);
  assert.deepEqual([271, 115651, 1.5e9].map(size), ["271 B", "116 kB", "1.5 GB"]);
  assert.deepEqual([1000, 42000, 3 * 86400000].map((ago) => relative(0, ago)), ["now", "42 s ago", "3 d ago"]);
  assert.equal(relative(90000, 0), "in 2 min");
});

test("what is left is rough, and nothing once its time has passed", () => {
  assert.equal(left(12_400, 0), "about 12 s left");
  assert.equal(left(200_000, 0), "about 3 min left");
  assert.equal(left(7_400_000, 0), "about 2 h 3 min left");
  assert.equal(left(400, 0), "");
  assert.equal(left(0, 9_000), "");
});

test("a job has pictures if it was asked for some, and at its end if it drew some", () => {
  const drawn = (metadata, parameters = { include_images: true }) => hasPictures({ job_type: "extraction", parameters, results: metadata && { structured_data: { metadata } } });
  assert.equal(drawn(null), true);
  assert.equal(drawn(null, {}), false);
  assert.equal(hasPictures({ job_type: "pdf", parameters: { extraction_method: "preview" } }), true);
  assert.equal(drawn({ image_paths: ["images/page_001.jpg"] }), true);
  assert.equal(drawn({ image_paths: [], preview_paths: [] }), false);
  assert.equal(drawn({}), false);
});
