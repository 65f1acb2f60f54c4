/** The timeline of a job from its facts. Pure. */
import { duration } from "../parts/formats.js";
import { texts } from "../texts.js";

const t = texts.job.timeline;

/**
 * Return the entries of the timeline, oldest first: `{key, tone, title, text, time, details, attempt}`.
 *
 * Reports of progress that follow each other are one entry. `sentenceOf` returns the sentence of an error's code.
 */
export function timeline(events, sentenceOf) {
  const entries = [];
  let running = 0;
  for (const event of events) {
    const name = event.type.split(".")[1];
    const last = entries[entries.length - 1];
    if (name === "JobProgress") {
      if (last && last.name === name) extend(last, event);
      else entries.push(progressEntry(event, running));
      continue;
    }
    if (name === "JobStarted" && running) entries.push(lostEntry(event, running));
    if (name === "JobStarted") running = event.data.number;
    entries.push({ ...entryOf(name, event, sentenceOf), name, key: event.sequence, time: event.time, attempt: running, details: detailsOf(event) });
    if (name === "JobReleased" || name === "JobRetryScheduled") running = 0;
  }
  return entries;
}

function entryOf(name, { data }, sentenceOf) {
  switch (name) {
    case "JobCreated":
      return { tone: "plain", title: t.JobCreated, text: createdText(data) };
    case "JobStarted":
      return { tone: "run", title: t.JobStarted(data.number), text: data.worker };
    case "JobReleased":
      return { tone: "pause", title: t.JobReleased, text: t.released[data.reason] || data.reason };
    case "JobRetryScheduled":
      return { tone: "retry", title: t.JobRetryScheduled, text: retryText(data, sentenceOf) };
    case "JobCompleted":
      return { tone: "good", title: t.JobCompleted, text: data.from_cache ? t.cached : t.completed(duration(data.duration_ms)) };
    case "JobFailed":
      return { tone: "bad", title: t.JobFailed, text: sentenceOf(data.error_code) };
    case "JobCancelled":
      return { tone: "stop", title: t.JobCancelled, text: t.cancelledBy(data.by, data.reason) };
    case "JobErased":
      return { tone: "stop", title: t.JobErased, text: t.cancelledBy(data.by, data.reason) };
    default:
      return { tone: "plain", title: t.other(name), text: "" };
  }
}

function createdText(data) {
  const text = t.createdWith(data.priority, data.max_attempts);
  return data.retry_of ? `${text} ${t.repeats(data.retry_of)}` : text;
}

function retryText(data, sentenceOf) {
  const text = t.retry(sentenceOf(data.error_code), duration(data.delay_s * 1000));
  return data.charged === false ? `${text} ${t.uncharged}` : text;
}

function lostEntry(event, running) {
  return { name: "lost", key: `lost-${event.sequence}`, tone: "retry", title: t.lost(running), text: t.lostWhy, time: event.time, attempt: running, details: [] };
}

function progressEntry(event, running) {
  const entry = { name: "JobProgress", key: event.sequence, tone: "step", title: t.JobProgress, time: event.time, attempt: running, number: 0, details: [] };
  extend(entry, event);
  return entry;
}

function extend(entry, { data, time }) {
  entry.number += 1;
  const step = texts.job.steps[data.step] || data.step;
  const page = data.page ? `, ${texts.jobs.pageOf(data.page, data.pages)}` : "";
  entry.text = `${t.progress(entry.number)}, ${t.reached(data.percent)}: ${step}${page}.`;
  entry.until = time;
}

function detailsOf(event) {
  const { run, worker, error_code: code } = event.data;
  const rows = [[t.position, event.position], [t.worker, worker], ["run", run], [texts.job.code, code]];
  return rows.filter(([, value]) => value);
}
