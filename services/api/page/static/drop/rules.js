/** What a dropped file or address becomes: the job's type and parameters, checks of the options, the queue's policy. Pure. */
import { rough } from "../parts/formats.js";
import { texts } from "../texts.js";

const t = texts.drop;
export const UPLOADS_AT_ONCE = 4;
const RECORDINGS = /\.(mp3|m4a|wav|flac|ogg|oga|opus|aac|wma|mp4|m4v|mov|mkv|webm|avi)$/i;
const BUSY = ["uploading", "estimating", "creating"];
const AGAIN_MS = [2000, 5000, 10000, 20000, 30000];

export const DEFAULTS = {
  type: "auto", method: "native", from: "", to: "", images: true, template: "", webhook: "", token: "", fresh: false, ask: false,
};

/** Return the job type of a file's name or an address: as chosen, or by its ending. */
export function typeOf(name, chosen) {
  if (chosen !== "auto") return chosen;
  const path = name.split(/[?#]/)[0];
  if (/\.pdf$/i.test(path)) return "pdf";
  return RECORDINGS.test(path) ? "transcription" : "extraction";
}

/** Return `{job_type, parameters}` for a source `{filename}` or `{url}` with a name. */
export function bodyOf(source, name, options) {
  const type = typeOf(name, options.type);
  const parameters = { ...source, ...(type === "pdf" ? pdfParameters(options) : {}) };
  if (options.webhook.trim()) {
    parameters.webhook = { url: options.webhook.trim(), ...(options.token ? { token: options.token } : {}) };
  }
  if (options.fresh) parameters.force_refresh = true;
  return { job_type: type, parameters };
}

function pdfParameters({ method, from, to, images, template }) {
  const parameters = { extraction_method: method };
  if (from !== "") parameters.page_start = Number(from);
  if (to !== "") parameters.page_end = Number(to);
  if (images) parameters.include_images = true;
  if (template) parameters.template = template;
  return parameters;
}

/** Return sentences about wrong options, by the name of the field. */
export function wrongOptions(options) {
  const wrong = {};
  const pages = [options.from, options.to].filter((page) => page !== "");
  const numbers = pages.every((page) => /^[1-9]\d{0,5}$/.test(page));
  if (!numbers || (pages.length === 2 && Number(options.from) > Number(options.to))) wrong.pages = texts.drop.badPages;
  if (options.webhook.trim() && !webAddress(options.webhook)) wrong.webhook = texts.drop.badUrl;
  return wrong;
}

/** Return the address of a text if it is one of the web; null for any other text. */
export function webAddress(text) {
  try {
    const url = new URL(text.trim());
    return /^https?:$/.test(url.protocol) && url.hostname ? url.href : null;
  } catch {
    return null;
  }
}

/** Return the addresses in a pasted text, one in a line or separated by blanks; null if a part is not an address. */
export function addressesOf(text) {
  const parts = text.split(/\s+/).filter(Boolean);
  const found = parts.map(webAddress);
  return parts.length && found.every(Boolean) ? found : null;
}

/** Return the items to begin now: the oldest that wait, so many that at most `atOnce` are under way. */
export function nextToBegin(items, atOnce = UPLOADS_AT_ONCE) {
  const busy = items.filter((item) => BUSY.includes(item.state)).length;
  if (busy >= atOnce) return [];
  const waiting = items.filter((item) => item.state === "queued" && !item.resting);
  return waiting.sort((one, other) => one.id - other.id).slice(0, atOnce - busy);
}

/** Return after how many milliseconds a refused request is repeated; null if that would not help. */
export function repeatAfter(error, tries) {
  const passing = error.status === 0 || error.status === 429 || error.status === 503;
  if (!passing || tries >= AGAIN_MS.length) return null;
  return Math.max(AGAIN_MS[tries], (Number(error.retryAfter) || 0) * 1000);
}

/** Return a sentence for an estimate of the API: what it reads, how long that takes, and how long it waits before. */
export function estimateText(estimate) {
  if (estimate.problem) return t.wouldFail(estimate.problem.message);
  const { pages, pages_without_text: scanned, seconds, queue } = estimate;
  const parts = [
    pages !== null && t.pageCount(pages, scanned || 0),
    seconds ? t.takes(rough(seconds.p50), rough(seconds.p90)) : t.takesUnknown,
    queue.wait_s >= 1 && t.waits(rough(queue.wait_s)),
  ];
  return parts.filter(Boolean).join(" · ");
}

/** Return a sentence for the sum of the items that wait for a start; empty if their estimates have nothing to add up. */
export function estimateSum(items) {
  const estimates = items.filter((item) => item.state === "asked").map((item) => item.estimate);
  const pages = estimates.reduce((sum, one) => sum + (one.pages || 0), 0);
  const known = estimates.filter((one) => one.seconds);
  const work = known.reduce((sum, one) => sum + one.seconds.p50, 0);
  return known.length ? t.together(pages, rough(work), estimates.length - known.length) : "";
}

/** Return how an item stands: `waiting`, `busy`, `done` or `wrong`. */
export function standing(item) {
  if (item.state === "refused") return "wrong";
  if (item.state === "queued" || item.state === "asked") return "waiting";
  if (item.state !== "job" || !item.job) return "busy";
  if (item.job.status === "completed") return "done";
  return item.job.status === "failed" ? "wrong" : "busy";
}
