/** What the list and the page of a job derive from a job as the API has it. Pure. */
import { texts } from "../texts.js";

export const STATUSES = ["pending", "processing", "completed", "failed"];

/** Return the status with `cancelled` apart: the API has it as `failed` with a code. */
export function shownStatus(job) {
  return job.status === "failed" && job.error && job.error.code === "CANCELLED" ? "cancelled" : job.status;
}

/** Whether the job has ended. */
export const ended = (job) => job.status === "completed" || job.status === "failed";

/** Return the name to show for a job: its title, else the name of its file, its address, or the beginning of its text. */
export function jobName(job) {
  if (job.job_name) return job.job_name;
  const { filename, url, template, text, source } = job.parameters || {};
  if (filename) return filename.slice(filename.lastIndexOf("/") + 1) || filename;
  const named = url || source || template || (typeof text === "string" && text.slice(0, 120));
  return named || texts.types[job.job_type] || job.job_type || texts.jobs.untitled;
}

/** Return the line of detail of a job: where it is, what went wrong, or how long it took (milliseconds). */
export function jobDetail(job, durationOf) {
  if (job.status === "failed") return (job.error && job.error.message) || "";
  if (job.status === "processing") return progressText(job.progress);
  if (job.status === "completed") {
    if (job.is_from_cache) return texts.jobs.cached;
    const took = tookMs(job);
    return took === null ? "" : texts.jobs.took(durationOf(took));
  }
  return job.attempt > 0 ? texts.jobs.attempt(job.attempt + 1) : "";
}

/** Return the milliseconds from the start of the last attempt to the end; null before. */
export function tookMs(job) {
  if (!job.processing_started_at || !job.completed_at) return null;
  return Math.max(0, Date.parse(job.completed_at) - Date.parse(job.processing_started_at));
}

/** Return a batch with the latest `eta` of itself and of those of its jobs that are open: the jobs' ones are newer. */
export function withLatestEta(batch, jobs) {
  let latest = batch.eta;
  for (const job of jobs) {
    if (job.eta && !ended(job) && (!latest || job.eta.time > latest.time)) latest = job.eta;
  }
  return { ...batch, eta: latest };
}

/** Whether a job stands in lists: the inspection of an estimate is gone in a moment. */
export const isListed = (job) => job.job_type !== "inspection";

/** Return a sentence for a job's progress. */
export function progressText(progress) {
  if (!progress) return "";
  const step = texts.job.steps[progress.step] || progress.message || progress.step;
  return progress.page ? `${step}, ${texts.jobs.pageOf(progress.page, progress.pages)}` : step;
}

/** Whether a job passes filters of status and type. */
export function passes(job, { status, type }) {
  return (!status || job.status === status) && (!type || job.job_type === type);
}
