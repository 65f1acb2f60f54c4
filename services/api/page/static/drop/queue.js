/** The files and addresses that were added: uploaded a few at a time, then followed as jobs. */
import { effect, signal } from "@preact/signals-core";
import { call, drawKey } from "../state/api.js";
import { announce } from "../state/announce.js";
import { ApiError } from "../state/errors.js";
import { listen } from "../state/stream.js";
import { toast } from "../state/toasts.js";
import { session } from "../session/session.js";
import { texts } from "../texts.js";
import { filesOf } from "./files.js";
import { bodyOf, DEFAULTS, nextToBegin, repeatAfter, standing, wrongOptions } from "./rules.js";
import { upload } from "./upload.js";

/** The options for what is added next. They are kept while the page is open, and nowhere else. */
export const options = signal({ ...DEFAULTS });
/** Counts the changes of the queue; a component that reads it is drawn again. */
export const version = signal(0);

let items = [];
let drawn = 0;
let frame = 0;
const byJob = new Map();

/** The items, the newest first. */
export const queue = () => items;

/** Add files, each as one job, or as one document of a folder. Returns whether the options allow it. */
export function addFiles(files, folder = "") {
  return add(files.map((file) => ({ name: file.name, size: file.size, file, folder })));
}

/** Add addresses, each as one job. */
export function addAddresses(addresses) {
  return add(addresses.map((url) => ({ name: url, size: null, url })));
}

/** Add what was dropped, with the files of dropped folders. */
export async function addDropped(transfer, folder = "") {
  addFiles(await filesOf(transfer), folder);
}

/** Upload or create an item that was refused, or run its failed job again. */
export async function retry(item) {
  if (item.state === "refused") return set(item, { state: "queued", problem: null, tries: 0 });
  byJob.delete(item.jobId);
  set(item, { state: "creating", problem: null });
  await attempt(item, async () => {
    followed(item, await call("POST", `/api/jobs/${item.jobId}/restart`, { headers: { "Idempotency-Key": drawKey() } }));
  });
}

/** Create the job of an item whose estimate was shown. */
export function start(item) {
  set(item, { state: "queued", started: true });
}

export function remove(item) {
  item.abort.abort();
  byJob.delete(item.jobId);
  items = items.filter((one) => one !== item);
  changed();
}

/** Take what is done off the list, or what of it is in a folder. */
export function clearDone(folder = "") {
  const done = items.filter((item) => standing(item) === "done" && (!folder || item.folder === folder));
  for (const item of done) byJob.delete(item.jobId);
  items = items.filter((item) => !done.includes(item));
  changed();
}

function add(found) {
  const wrong = Object.values(wrongOptions(options.value));
  if (wrong.length && !found.every((one) => one.folder)) {
    toast(wrong.join(" "), "error");
    return false;
  }
  const added = found.map((one) => ({
    id: ++drawn, key: drawKey(), options: options.value, state: "queued", percent: 0, tries: 0, problem: null, resting: false,
    folder: "", filename: null, started: false, estimate: null, jobId: null, job: null, abort: new AbortController(), ...one,
  }));
  for (const item of added) {
    if (item.size === 0) Object.assign(item, { state: "refused", problem: new ApiError(400, "EMPTY", texts.drop.emptyFile) });
  }
  items = [...added, ...items];
  if (added.length) announce(texts.drop.added(added.length));
  changed();
  return true;
}

function begin(item) {
  return attempt(item, () => (item.folder ? addDocument(item) : createJob(item)));
}

async function createJob(item) {
  if (item.file && !item.filename) {
    const kept = await uploaded(item, "/api/files");
    item.filename = kept.filename; // a repeat sends the same body, so that its key creates no second job
    item.file = null;
  }
  const source = item.url ? { url: item.url } : { filename: item.filename };
  const body = bodyOf(source, item.name, item.options);
  if (item.options.ask && !item.started) return estimate(item, body);
  set(item, { state: "creating" });
  followed(item, await call("POST", "/api/jobs/", { body, headers: { "Idempotency-Key": item.key }, signal: item.abort.signal }));
}

/** A repeat uploads again, under the same key: it creates no second document. */
async function addDocument(item) {
  const fields = { folderId: item.folder, includeImages: String(item.options.images) };
  const added = await uploaded(item, "/v1/documents?wait=0", { fields, headers: { "Idempotency-Key": item.key } });
  item.file = null;
  followed(item, { job_id: added.jobId, job: { job_id: added.jobId, status: "pending" } });
  read(item); // a job that has ended already changes no more
}

function uploaded(item, path, more = {}) {
  set(item, { state: "uploading", percent: 0 });
  return upload(path, item.file, { ...more, onProgress: (percent) => set(item, { percent }), abort: item.abort.signal });
}

async function estimate(item, body) {
  set(item, { state: "estimating" });
  const found = await call("POST", "/api/jobs/estimate", { body, signal: item.abort.signal });
  set(item, { state: "asked", estimate: found });
}

async function attempt(item, work) {
  try {
    await work();
  } catch (error) {
    if (error.name === "AbortError" || !items.includes(item)) return;
    const wait = repeatAfter(error, item.tries);
    if (wait === null || item.jobId) return set(item, { state: "refused", problem: error });
    set(item, { state: "queued", problem: error, tries: item.tries + 1, resting: true });
    setTimeout(() => set(item, { resting: false }), wait);
  }
}

function followed(item, created) {
  byJob.set(created.job_id, item);
  set(item, { state: "job", problem: null, jobId: created.job_id, job: early.get(created.job_id) || created.job });
  early.delete(created.job_id);
  if (item.tries) read(item); // an earlier request may have created the job, which may have ended since
}

const early = new Map(); // changes that came before the answer that names their job

listen("job", (job) => {
  const item = byJob.get(job.job_id);
  if (item) {
    set(item, { job: { ...item.job, ...job } });
    if (job.status === "failed") read(item); // the stream has no details of an error
  }
  if (!item && items.some((one) => one.state === "creating")) early.set(job.job_id, job);
});

listen("reset", async () => {
  for (const item of byJob.values()) await read(item);
});

async function read(item) {
  const job = await call("GET", `/api/jobs/${item.jobId}`).catch(() => null); // what the stream had is shown meanwhile
  if (job && job.job_id === item.jobId) set(item, { job });
}

function set(item, values) {
  Object.assign(item, values);
  changed();
}

function changed() {
  beginNext();
  frame ||= requestAnimationFrame(() => {
    frame = 0;
    version.value += 1;
  });
}

function beginNext() {
  const [item] = nextToBegin(items); // one at a time: `begin` calls this again
  if (item) begin(item);
}

effect(() => {
  if (session.value !== null) return;
  for (const item of items) item.abort.abort(); // another owner may sign in next
  items = [];
  byJob.clear();
  early.clear();
  options.value = { ...DEFAULTS };
  changed();
});

addEventListener("beforeunload", (event) => {
  if (items.some((item) => ["queued", "uploading", "estimating", "asked", "creating"].includes(item.state))) event.preventDefault();
});
