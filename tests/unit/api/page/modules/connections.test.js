/** The pure rules of the connections. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { endOf, stateOf } from "./static/connections/key-states.js";
import { stepsOf } from "./static/connections/steps.js";

const states = (found, url = "https:" + "//example.org/hook") => stepsOf({ addresses: ["192.0.2.1"], ...found }, url).map((step) => step.state);

test("a webhook that arrived has passed every step", () => {
  assert.deepEqual(states({ ok: true, reason: null }), Array(6).fill("done"));
});

test("the step that failed stands between what passed and what was not reached", () => {
  assert.deepEqual(states({ ok: false, reason: "TLS" }), ["done", "done", "done", "wrong", "open", "open"]);
  assert.deepEqual(states({ ok: false, reason: "HTTP_STATUS" }), ["done", "done", "done", "done", "done", "wrong"]);
});

test("an address without TLS has no step for it", () => {
  assert.deepEqual(stepsOf({ ok: true }, "http:" + "//example.org").map((step) => step.name), ["name", "address", "connection", "answer", "accepted"]);
});

test("a timeout before a name was resolved is of the name", () => {
  assert.equal(states({ ok: false, reason: "TIMEOUT", addresses: [] })[0], "wrong");
  assert.equal(states({ ok: false, reason: "TIMEOUT" })[4], "wrong");
});

test("a reason that is not known blames no step", () => {
  assert.deepEqual(new Set(states({ ok: false, reason: "SOMETHING" })), new Set(["unknown"]));
});

test("a key is active, is ending, or has ended by the earlier of its ends", () => {
  const now = Date.parse("2026-01-01T12:00:00Z");
  assert.equal(stateOf({}, now).state, "active");
  assert.equal(stateOf({ expires_at: "2026-01-02T00:00:00Z" }, now).state, "ending");
  assert.equal(stateOf({ expires_at: "2026-01-02T00:00:00Z", revoked_at: "2026-01-01T11:00:00Z" }, now).state, "ended");
});

test("a key without a term has no end", () => {
  assert.equal(endOf(0, 0), undefined);
  assert.equal(endOf(1, 0), "1970-01-02T00:00:00Z");
});
