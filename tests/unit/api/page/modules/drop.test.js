import assert from "node:assert/strict";
import { test } from "node:test";
import { addressesOf, bodyOf, DEFAULTS, estimateSum, estimateText, nextToBegin, repeatAfter, standing, typeOf, wrongOptions } from "./static/drop/rules.js";

const options = (more) => ({ ...DEFAULTS, ...more });

test("the type follows from the name, or is the chosen one", () => {
  assert.equal(typeOf("Report.PDF", "auto"), "pdf");
  assert.equal(typeOf("https://example.org/a.pdf?x=1#p2", "auto"), "pdf");
  assert.equal(typeOf("talk.MP3", "auto"), "transcription");
  assert.equal(typeOf("notes.docx", "auto"), "extraction");
  assert.equal(typeOf("a.pdf", "extraction"), "extraction");
});

test("options become parameters, and those of PDFs stay with PDFs", () => {
  const chosen = options({ method: "both", from: "2", to: "5", images: true, template: "Minutes", webhook: " https://example.org/h ", token: "t", fresh: true });
  assert.deepEqual(bodyOf({ filename: "upload://1/a.pdf" }, "a.pdf", chosen), {
    job_type: "pdf",
    parameters: {
      filename: "upload://1/a.pdf", extraction_method: "both", page_start: 2, page_end: 5, include_images: true, template: "Minutes",
      webhook: { url: "https://example.org/h", token: "t" }, force_refresh: true,
    },
  });
  assert.deepEqual(bodyOf({ url: "https://example.org/a.html" }, "https://example.org/a.html", options({ from: "2" })), {
    job_type: "extraction", parameters: { url: "https://example.org/a.html" },
  });
});

test("wrong options are named", () => {
  assert.deepEqual(wrongOptions(options()), {});
  for (const [from, to] of [["0", ""], ["5", "2"], ["x", ""], ["", "-1"]]) assert.ok(wrongOptions(options({ from, to })).pages);
  assert.ok(wrongOptions(options({ webhook: "javascript:alert(1)" })).webhook);
});

test("a pasted text is addresses, or refused whole", () => {
  assert.deepEqual(addressesOf(" https://a.example/x\nhttp://b.example "), ["https://a.example/x", "http://b.example/"]);
  for (const text of ["", "nothing", "https://a.example ftp://b.example", "javascript:alert(1)"]) assert.equal(addressesOf(text), null);
});

test("at most four are under way, the oldest first, and one that rests is left", () => {
  const items = [{ state: "uploading" }, { state: "creating" }, { state: "queued", resting: true }, ...[9, 8, 5, 6, 7].map((id) => ({ state: "queued", id }))];
  assert.deepEqual(nextToBegin(items).map((item) => item.id), [5, 6]);
  assert.deepEqual(nextToBegin(items, 2), []);
});

test("what may pass is repeated, later each time, and not for ever", () => {
  assert.equal(repeatAfter({ status: 429, retryAfter: "7" }, 0), 7000);
  assert.ok(repeatAfter({ status: 0 }, 1) > repeatAfter({ status: 0 }, 0));
  assert.equal(repeatAfter({ status: 503 }, 5), null);
  for (const status of [400, 403, 413, 422, 500, 507]) assert.equal(repeatAfter({ status }, 0), null);
});

test("an item stands as its job does", () => {
  assert.equal(standing({ state: "queued" }), "waiting");
  assert.equal(standing({ state: "refused" }), "wrong");
  assert.equal(standing({ state: "job", job: { status: "failed" } }), "wrong");
  assert.equal(standing({ state: "job", job: { status: "completed" } }), "done");
  assert.equal(standing({ state: "job", job: { status: "pending" } }), "busy");
});

const estimated = (more) => ({ pages: 14, pages_without_text: 2, seconds: { p50: 3.2, p90: 5.1 }, queue: { jobs_before: 0, wait_s: 0 }, problem: null, ...more });

test("an estimate is a sentence, without what is not known", () => {
  assert.equal(estimateText(estimated()), "14 pages, 2 without text · about 3.2 s, rarely more than 5.1 s");
  assert.equal(estimateText(estimated({ queue: { jobs_before: 9, wait_s: 61 } })), "14 pages, 2 without text · about 3.2 s, rarely more than 5.1 s · waits 1 min 1 s first");
  assert.equal(estimateText(estimated({ pages: null, seconds: null, queue: { jobs_before: 9, wait_s: null } })), "no time known yet");
  assert.equal(estimateText(estimated({ problem: { message: "The PDF is protected." } })), "This would fail: The PDF is protected.");
});

test("estimates that wait for a start are added up, and those without a time are counted", () => {
  const asked = (estimate) => ({ state: "asked", estimate });
  assert.equal(estimateSum([asked(estimated()), asked(estimated()), { state: "queued" }]), "Together 28 pages, about 6.4 s of work.");
  assert.equal(estimateSum([asked(estimated()), asked(estimated({ seconds: null }))]), "Together 28 pages, about 3.2 s of work, without 1 item of unknown time.");
  assert.equal(estimateSum([asked(estimated({ seconds: null }))]), "");
});

test("an item whose estimate is shown waits, and one that is being estimated takes a place", () => {
  assert.equal(standing({ state: "asked" }), "waiting");
  const items = [{ id: 1, state: "estimating" }, { id: 2, state: "asked" }, { id: 3, state: "queued" }];
  assert.deepEqual(nextToBegin(items, 1), []);
  assert.deepEqual(nextToBegin(items, 2).map((item) => item.id), [3]);
});
