/** The pure rules of the view of the installation. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { parseRoute } from "./static/state/places.js";
import { processRows, tilesOf } from "./static/system/figures.js";
import { axisEnd, errorRate, HEIGHT, linePath, stackedBars, sums, ticks, WIDTH } from "./static/system/plots.js";

const NOW = Date.parse("2026-01-01T12:00:00Z");
const NAMES = ["completed", "failed"];
const point = (completed, failed = 0) => ({ completed, failed });
const known = {
  services: [{ service: "worker", processes: [{ instance: "w-1", partitions: 3, slots: 4, running: 1 }], lag: 0 }],
  queue: { pending: 1200, processing: 1, oldest: { created_at: "2026-01-01T11:58:55Z" }, groups: [], left_out: 0 },
  receivers: [],
  dead_letters: { count: 0, stopped: 0 },
  plots: { hour: { points: [point(98, 2)] } },
  verify: null,
  unknown: {},
};
const tiles = (changes = {}) => Object.fromEntries(tilesOf({ ...known, ...changes }, NOW).map((one) => [one.name, one]));

test("an axis ends at a round number whose half is short", () => {
  assert.deepEqual([0, 1, 2, 3, 7, 10, 11, 499, 0.3].map((value) => axisEnd(value)), [1, 1, 2, 4, 10, 10, 20, 600, 1]);
  assert.deepEqual([0, 0.012, 0.3, 0.5].map((value) => axisEnd(value, 0.01)).map((value) => value.toFixed(2)), ["0.01", "0.02", "0.40", "0.60"]);
  assert.deepEqual(ticks(20), [20, 10, 0]);
});

test("the parts of a bar stand on each other and fill its share of the height", () => {
  const bars = stackedBars([point(3, 1), point(0), point(0, 2)], NAMES, 4);
  assert.deepEqual(bars.map((bar) => bar.name), ["completed", "failed", "failed"]);
  const [lower, upper, last] = bars;
  assert.equal(lower.y + lower.height, HEIGHT);
  assert.equal(upper.y + upper.height, lower.y);
  assert.equal(upper.y, 0);
  assert.equal(last.height, HEIGHT / 2);
  assert.equal(lower.x, upper.x);
  assert.ok(last.x > (WIDTH * 2) / 3 && last.x + last.width < WIDTH);
});

test("a line has gaps where nothing is known, and a dot for a value alone", () => {
  assert.equal(linePath([1, 0], 1), `M80 0L240 ${HEIGHT}`);
  assert.match(linePath([null, 1, null, 0.5, 1], 1), /^M96 0h0\.01M224 56L288 0$/);
  assert.equal(linePath([null, null], 1), "");
  assert.equal(linePath([], 1), "");
});

test("the error rate leaves out cancelled jobs, and is unknown without any", () => {
  assert.equal(errorRate([point(3, 1), point(4, 0)]), 1 / 8);
  assert.equal(errorRate([point(0)]), null);
  assert.deepEqual(sums([point(3, 1), point(4, 0)], NAMES), { completed: 7, failed: 1 });
});

test("the tiles show what is known", () => {
  const found = tiles();
  assert.deepEqual([found.pending.value, found.pending.hint], ["1,200", "the oldest for 1 min 5 s"]);
  assert.deepEqual([found.processing.value, found.processing.hint], ["1", "of 4 slots"]);
  assert.deepEqual([found.errors.value, found.errors.level], ["2.0 %", ""]);
  assert.equal(found.verify.value, "never");
});

test("the tiles warn of what needs an administrator", () => {
  assert.equal(tiles({ plots: { hour: { points: [point(1, 1)] } } }).errors.level, "warn");
  assert.equal(tiles({ receivers: [{}] }).receivers.level, "warn");
  assert.equal(tiles({ receivers: Array(99).fill({}) }).receivers.value, "99");
  assert.equal(tiles({ receivers: Array(100).fill({}) }).receivers.value, "100+"); // more are not listed
  assert.equal(tiles({ dead_letters: { count: 2, stopped: 0 } }).letters.level, "warn");
  assert.deepEqual([tiles({ dead_letters: { count: 2, stopped: 1 } }).letters.level, tiles({ verify: { verdict: "violated" } }).verify.level], ["bad", "bad"]);
  assert.equal(tiles({ services: [{ service: "worker", processes: [], lag: null }] }).processing.level, "bad");
});

test("what is not known is a dash", () => {
  const away = { services: null, queue: null, receivers: null, dead_letters: null, plots: null, verify: null, unknown: { verify: "away" } };
  assert.deepEqual(new Set(Object.values(tiles(away)).map((one) => one.value)), new Set(["–"]));
});

test("a service without a process has a row that states it", () => {
  const rows = processRows([
    { service: "api", processes: null, lag: null },
    ...known.services,
    { service: "notifier", processes: [], lag: 1234 },
    { service: "projector", processes: [{ instance: "p" }], lag: null },
  ]);
  assert.deepEqual(rows.map((row) => [row.service, row.state, row.slots, row.lag]), [
    ["api", "unknown", "", ""],
    ["worker", "", "1 of 4", "0"],
    ["notifier", "none", "", "1,234"],
    ["projector", "", "", "unknown"],
  ]);
});

test("the system has an address", () => {
  assert.deepEqual(parseRoute("#/system"), { name: "system" });
  assert.equal(parseRoute("#/system/more").name, "lost");
});
