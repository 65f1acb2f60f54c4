/** The owner's batches, and the jobs of the one that is open. The owner's stream keeps both up to date. */
import { effect, signal } from "@preact/signals-core";
import { call, withQuery } from "../state/api.js";
import { ApiError } from "../state/errors.js";
import { listen } from "../state/stream.js";
import { Listing } from "../jobs/listing.js";
import { session } from "../session/session.js";

const PAGE = 100;
const SETTLE_MS = 250; // changes within this time are read together

/** `{batches, total}`; null before they were read. */
export const list = signal(null);
/** The batch that is open, without its jobs; null before it was read or after its erasure. */
export const batch = signal(null);
/** What the last request failed with; null after one that succeeded. */
export const problem = signal(null);
/** Counts the changes of the open batch's jobs. */
export const version = signal(0);

let listing = new Listing({ status: "", type: "" });
let id = "";
let reading = false;
let settle = null;
let refreshing = null;
let early = []; // changes that came while what they change was being read

/** The jobs of the open batch. */
export const members = () => listing;

/** Read the newest batches. */
export const openList = () => attempt(async () => {
  list.value = await call("GET", withQuery("/api/jobs/batches", { limit: PAGE }));
});

/** Read the batches that follow those that were read. */
export const moreBatches = () => attempt(async () => {
  const read = list.value.batches;
  const page = await call("GET", withQuery("/api/jobs/batches", { limit: PAGE, skip: read.length }));
  const known = new Set(read.map((one) => one.batch_id));
  list.value = { ...page, batches: [...read, ...page.batches.filter((one) => !known.has(one.batch_id))] };
});

/** Read a batch and its first jobs. */
export function openBatch(wanted) {
  id = wanted;
  batch.value = null;
  early = [];
  listing = new Listing({ status: "", type: "" });
  return attempt(async () => {
    const counts = await call("GET", `/api/jobs/batch/${encodeURIComponent(wanted)}`);
    if (id !== wanted) return;
    batch.value = counts;
    reading = true; // changes wait for the first jobs
    await readMembers();
  });
}

/** Read the next jobs of the open batch, unless they are being read or all were. */
export function moreMembers() {
  if (!reading && !listing.complete && batch.value) attempt(readMembers);
}

async function readMembers() {
  const of = listing;
  reading = true;
  try {
    of.append(await page(of.cursor), PAGE);
  } finally {
    reading = false;
  }
  if (of !== listing) return;
  for (const apply of early.splice(0)) apply();
  version.value += 1;
}

const page = async (after) => (await call("GET", withQuery("/api/jobs/", { batch_id: id, limit: PAGE, after }))).jobs;

async function attempt(work) {
  problem.value = null;
  try {
    await work();
  } catch (error) {
    problem.value = error;
  }
}

/** Merge a change unless it is older; the stream's batch has no name, so the known one stays. */
function merged(known, changed) {
  return changed.updated_at < known.updated_at ? known : { ...known, ...changed, batch_name: known.batch_name };
}

/** Apply a change of the open batch now, or once it was read. */
function whenRead(apply) {
  if (!batch.value || reading) early.push(apply);
  else apply();
}

function changeBatch(changed) {
  if (changed.deleted) problem.value = new ApiError(404, "NOT_FOUND", "");
  batch.value = changed.deleted ? null : merged(batch.value, changed);
}

function changeMember(job) {
  const known = listing.jobs.get(job.job_id);
  if (known && job.updated_at < known.updated_at) return;
  if (listing.change(job)) refreshSoon();
  version.value += 1;
}

/** Read the first jobs again: the tables may get a batch's jobs after the batch, and an error has no details in the stream. */
function refreshSoon() {
  refreshing ??= setTimeout(async () => {
    refreshing = null;
    const of = listing;
    const read = await page().catch(() => null); // the next change reads it again
    if (!read || of !== listing) return;
    of.refresh(read, PAGE);
    version.value += 1;
  }, SETTLE_MS);
}

listen("batch", (changed) => {
  if (changed.batch_id === id) whenRead(() => changeBatch(changed));
  if (!list.value) return;
  const { batches } = list.value;
  const known = batches.some((one) => one.batch_id === changed.batch_id);
  if (changed.deleted) list.value = { ...list.value, batches: batches.filter((one) => one.batch_id !== changed.batch_id) };
  else if (known) list.value = { ...list.value, batches: batches.map((one) => (one.batch_id === changed.batch_id ? merged(one, changed) : one)) };
  else settle ??= setTimeout(() => { settle = null; openList(); }, SETTLE_MS);
});

listen("job", (job) => {
  if (id && job.batch_id === id) whenRead(() => changeMember(job));
});

listen("reset", () => {
  if (batch.value) openBatch(id);
  if (list.value) openList();
});

effect(() => {
  if (session.value !== null) return;
  list.value = null; // another owner may sign in next
  batch.value = null;
});
