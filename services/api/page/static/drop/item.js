/** One added file or address: its upload, then its job. */
import { Button, Foreign, IconButton } from "../parts/controls.js";
import { size } from "../parts/formats.js";
import { html } from "../parts/html.js";
import { Bar, StatusShape } from "../parts/status.js";
import { explain } from "../state/errors.js";
import { jobHash } from "../state/places.js";
import { ended, progressText, shownStatus } from "../state/shapes.js";
import { texts } from "../texts.js";
import { remove, retry, start } from "./queue.js";
import { estimateText, standing } from "./rules.js";

const t = texts.drop;

export function Item({ item }) {
  const { shape, text, percent, label } = look(item);
  const wrong = standing(item) === "wrong";
  return html`<div class=${`item ${shape}`} data-state=${item.state}>
    <${StatusShape} status=${shape} />
    <div class="item-text">
      <p class="item-name"><${Foreign} text=${item.name} title=${item.name.slice(0, 300)} />
        ${item.size !== null && html`<span class="item-size">${size(item.size)}</span>`}</p>
      <p class="item-state"><${Foreign} text=${text} title=${text.slice(0, 500)} /></p>
      ${percent !== null && html`<${Bar} percent=${percent} label=${label} status=${shape} />`}
    </div>
    <div class="item-actions">
      ${item.state === "asked" && html`<${Button} kind="primary small" onClick=${() => start(item)}>${t.start}<//>`}
      ${wrong && html`<${IconButton} icon="again" label=${t.retry} onClick=${() => retry(item)} />`}
      ${item.jobId ? html`<a class="button plain small" href=${jobHash(item.jobId)}>${t.open}</a>`
        : html`<${IconButton} icon="close" label=${t.remove} onClick=${() => remove(item)} />`}
    </div>
  </div>`;
}

/** Return how an item looks: a shape, a sentence and, while it moves, a percent. */
function look(item) {
  const none = { percent: null, label: "" };
  if (item.state === "refused") {
    const { sentence, remedy } = explain(item.problem);
    return { shape: "failed", text: item.problem.code === "EMPTY" ? sentence : `${sentence} ${remedy}`, ...none };
  }
  if (item.state === "queued") return { shape: "pending", text: item.problem ? explain(item.problem).sentence : t.states.queued, ...none };
  if (item.state === "uploading") {
    const text = t.states.uploading(Math.floor(item.percent));
    return { shape: "processing", text, percent: item.percent, label: text };
  }
  if (item.state === "estimating") return { shape: "processing", text: t.states.estimating, ...none };
  if (item.state === "asked") return { shape: item.estimate.problem ? "failed" : "pending", text: estimateText(item.estimate), ...none };
  if (item.state === "creating") return { shape: "processing", text: t.states.creating, ...none };
  return jobLook(item.job);
}

function jobLook(job) {
  const shape = shownStatus(job);
  if (job.status === "failed") return { shape, text: job.error ? job.error.message : texts.status.failed, percent: null, label: "" };
  if (ended(job) || !job.progress) return { shape, text: texts.status[job.status], percent: null, label: "" };
  return { shape, text: progressText(job.progress), percent: job.progress.percent, label: texts.job.progress };
}
