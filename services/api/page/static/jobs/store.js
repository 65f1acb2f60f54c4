/** The list that is shown: read in pages, and kept up to date by the owner's stream. */
import { effect, signal } from "@preact/signals-core";
import { call, withQuery } from "../state/api.js";
import { listen } from "../state/stream.js";
import { session } from "../session/session.js";
import { Listing, MOST_AT_ONCE } from "./listing.js";

const PAGE = 100;
const FURTHER = 500; // of the pages after the first: who reads on goes far
const SETTLE_MS = 250; // changes within this time are read together
const SEARCH_SETTLE_MS = 1500; // the words of a new job are read after the change is known
const LATE_MS = [2000, 8000, 30000]; // a search is read again after these times: words of jobs may be read late
const NUMBERS_MS = 1500; // the numbers are counted at most this often

let listing = new Listing({ status: "", type: "", text: "" });
/** Counts the changes; a component that reads it is drawn again. */
export const version = signal(0);
/** `loading`, `more`, `ready` or `failed`. */
export const phase = signal("loading");
export const problem = signal(null);
/** `{total, pending, processing, completed, failed}` of the search `text`; null before they are known. */
export const numbers = signal(null);

let frame = 0;
let newest = 0; // the number of the newest request; answers of older ones are dropped
let settle = null;
let wanted = 0; // jobs that the next refresh reads
let counting = null;
let late = []; // what is left of LATE_MS
let later = null;

/** The listing that is shown. */
export const shown = () => listing;

/** Show the jobs of a status and a type that a search finds. */
export function open(filters) {
  const { status, type, text } = listing.filters;
  const same = filters.status === status && filters.type === type && filters.text === text;
  if (phase.value !== "failed" && listing.order.length && same) return;
  listing = new Listing({ status: filters.status, type: filters.type, text: filters.text });
  redraw();
  read("loading");
  count(0);
  searchLater();
}

/** Read the list of a search again, in case the words of a job were not known yet. */
function searchLater() {
  clearTimeout(later);
  late = listing.filters.text ? [...LATE_MS] : [];
  nextLater();
}

function nextLater() {
  if (!late.length) return;
  later = setTimeout(() => {
    refreshSoon();
    count();
    nextLater();
  }, late.shift());
}

/** Return the number of jobs that the list has when all are read; undefined before it is known. */
export function counted({ status, type, text }) {
  const found = numbers.value;
  if (!found || found.text !== text || found.type !== type) return undefined;
  return status ? found[status] : found.total;
}

/** Read the next page, unless one is being read or all were. */
export function more() {
  if (phase.value === "ready" && !listing.complete) read("more");
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
    const size = of.cursor ? FURTHER : PAGE;
    const page = await pageOf(of, size, of.cursor);
    if (request !== newest) return;
    of.append(page, size);
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
  const { status, type, text } = of.filters;
  return (await call("GET", withQuery("/api/jobs/", { status, job_type: type, q: text, limit, after }))).jobs;
}

function refreshSoon(limit = PAGE) {
  wanted = Math.max(wanted, limit);
  settle ??= setTimeout(() => {
    settle = null;
    if (phase.value === "loading" || phase.value === "more") return refreshSoon(); // not between two pages
    refresh(wanted);
    wanted = 0;
  }, listing.filters.text ? SEARCH_SETTLE_MS : SETTLE_MS);
}

async function refresh(limit) {
  const of = listing;
  const request = newest;
  const page = await pageOf(of, limit).catch(() => null); // the next change reads it again
  if (!page || of !== listing) return;
  if (request !== newest) return refreshSoon(limit); // a page was read meanwhile
  of.refresh(page, limit);
  redraw();
}

function count(wait = NUMBERS_MS) {
  if (!session.value || (counting && wait)) return;
  clearTimeout(counting);
  counting = setTimeout(async () => {
    counting = null;
    const of = listing;
    const { type, text } = of.filters;
    const found = await call("GET", withQuery("/api/jobs/counts", { job_type: type, q: text })).catch(() => null);
    if (found && of === listing) numbers.value = { ...found, type, text };
  }, wait);
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
  if (listing.change(job)) {
    refreshSoon(listing.reaches(job, PAGE));
    searchLater();
  }
  redraw();
});
listen("reset", () => {
  refreshSoon(Math.min(MOST_AT_ONCE, Math.max(PAGE, listing.order.length)));
  count();
});
