/** The facts about a job beside its result. */
import { Ago, Foreign } from "../parts/controls.js";
import { coarse, duration, number } from "../parts/formats.js";
import { html } from "../parts/html.js";
import { batchHash, jobHash } from "../state/places.js";
import { texts } from "../texts.js";
import { summaryOf } from "./summaries.js";

const t = texts.job.facts;

export function Summary({ job, events }) {
  const found = summaryOf(job, events);
  const rows = [
    [t.type, texts.types[job.job_type] || job.job_type],
    [t.created, html`<${Ago} time=${job.created_at} />`],
    [t.started, job.processing_started_at && html`<${Ago} time=${job.processing_started_at} />`],
    [t.ended, job.completed_at && html`<${Ago} time=${job.completed_at} />`],
    [t.waited, found.waitedMs !== null && coarse(found.waitedMs)],
    [t.took, found.tookMs !== null && duration(found.tookMs)],
    [t.attempts, job.attempt > 0 && number(job.attempt)],
    [t.pages, found.pages && number(found.pages)],
    [t.method, found.method],
    [t.cache, job.is_from_cache && t.fromCache],
    [t.user, job.user_id && html`<${Foreign} text=${job.user_id} />`],
    [t.target, job.target_id && html`<${Foreign} text=${job.target_id} />`],
    [t.batch, job.batch_id && html`<a class="mono" href=${batchHash(job.batch_id)}>${job.batch_id}</a>`],
    [t.retryOf, job.retry_of && html`<a class="mono" href=${jobHash(job.retry_of)}>${job.retry_of}</a>`],
  ];
  return html`<aside class="summary card" aria-labelledby="summary-title"><h2 id="summary-title">${t.title}</h2>
    <dl class="pairs">${rows.filter(([, value]) => value).map(([name, value]) => html`<div key=${name}><dt>${name}</dt><dd>${value}</dd></div>`)}</dl></aside>`;
}
