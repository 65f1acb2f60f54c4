import assert from "node:assert/strict";
import { test } from "node:test";
import { addressesOf, bodyOf, DEFAULTS, nextToBegin, repeatAfter, standing, typeOf, wrongOptions } from "./static/drop/rules.js";

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
