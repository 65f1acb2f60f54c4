/** The list that is shown: read in pages, and kept up to date by the owner's stream. */
import { effect, signal } from "@preact/signals-core";
import { call, withQuery } from "../state/api.js";
import { listen } from "../state/stream.js";
import { session } from "../session/session.js";
import { Listing, newestOf, readOn } from "./listing.js";

const PAGE = 100;
const SEARCHED_AT_ONCE = 2000; // jobs that a search reads before it asks whether to go on
const SETTLE_MS = 250; // changes within this time are read together
const NUMBERS_MS = 1500; // the numbers are counted at most this often

let listing = new Listing({ status: "", type: "" });
/** Counts the changes; a component that reads it is drawn again. */
export const version = signal(0);
/** `loading`, `more`, `ready` or `failed`. */
export const phase = signal("loading");
export const problem = signal(null);
/** `{total, pending, processing, completed, failed}` of the owner; null before they are known. */
export const numbers = signal(null);

let frame = 0;
let newest = 0; // the number of the newest request; answers of older ones are dropped
let settle = null;
let counting = null;

/** The listing that is shown. */
export const shown = () => listing;

/** Show the jobs of a status and a type. */
export function open(filters) {
  const { status, type } = listing.filters;
  if (phase.value !== "failed" && listing.order.length && filters.status === status && filters.type === type) return;
  listing = new Listing({ status: filters.status, type: filters.type });
  redraw();
  read("loading");
  count();
}

/** Read the next page, unless one is being read or all were. */
export function more() {
  if (phase.value === "ready" && !listing.complete) read("more");
}

/** Read on until a text was found often enough, or some thousands of jobs were searched. */
export async function searchOn(text, wanted) {
  const of = listing;
  const until = of.order.length + SEARCHED_AT_ONCE;
  while (of === listing && !of.complete && of.order.length < until && of.found(text).length < wanted) {
    if (phase.value !== "ready") return;
    await read("more");
  }
}

/** Read what failed once more. */
export function again() {
  read(listing.order.length ? "more" : "loading");
}

async function read(state) {
  const of = listing;
  const request = ++newest;
  phase.value = state;
  try {
    await readOn(of, (limit, after) => pageOf(of, limit, after), PAGE);
    if (request !== newest) return;
    problem.value = null;
    phase.value = "ready";
  } catch (error) {
    if (request !== newest) return;
    problem.value = error;
    phase.value = "failed";
  }
  redraw();
}

async function pageOf(of, limit, after) {
  const { status, type } = of.filters;
  return (await call("GET", withQuery("/api/jobs/", { status, job_type: type, limit, after }))).jobs;
}

function refreshSoon() {
  settle ??= setTimeout(async () => {
    settle = null;
    const of = listing;
    const found = await newestOf(of, (limit, after) => pageOf(of, limit, after), PAGE).catch(() => null); // read again at the next change
    if (!found || of !== listing) return;
    if (!found.meets) listing = new Listing(of.filters);
    listing.refresh(found.jobs, found.meets ? PAGE : found.jobs.length);
    redraw();
  }, SETTLE_MS);
}

function count() {
  if (!session.value) return;
  counting ??= setTimeout(async () => {
    const found = await call("GET", withQuery("/api/jobs/counts", { job_type: listing.filters.type })).catch(() => null);
    if (found) numbers.value = found;
    counting = null;
  }, numbers.value ? NUMBERS_MS : 0);
}

function redraw() {
  frame ||= requestAnimationFrame(() => {
    frame = 0;
    version.value += 1;
  });
}

effect(() => {
  if (session.value !== null) return;
  listing = new Listing(listing.filters); // another owner may sign in next
  numbers.value = null;
  phase.value = "loading";
  newest += 1;
});

listen("job", (job) => {
  const known = listing.jobs.get(job.job_id);
  if (!known || known.status !== job.status || job.deleted) count();
  if (listing.change(job)) refreshSoon();
  redraw();
});
listen("reset", () => {
  refreshSoon();
  count();
});
