/** The list of batches, the newest first. */
import { useEffect } from "preact/hooks";
import { Ago, Button, Empty, Foreign, Left, Problem } from "../parts/controls.js";
import { html } from "../parts/html.js";
import { Bar, Status } from "../parts/status.js";
import { explain } from "../state/errors.js";
import { batchHash } from "../state/places.js";
import { texts } from "../texts.js";
import { list, moreBatches, openList, problem } from "./store.js";

const t = texts.batches;

export function BatchesView() {
  useEffect(() => void openList(), []);
  return html`<header class="head"><h1>${t.title}</h1></header><${Content} />`;
}

function Content() {
  if (problem.value) return html`<${Problem} ...${explain(problem.value)}><${Button} icon="again" onClick=${openList}>${texts.jobs.retry}<//><//>`;
  if (!list.value) return html`<p class="foot" role="status">${t.loading}</p>`;
  const { batches, total } = list.value;
  if (!batches.length) return html`<${Empty} title=${t.empty.title} text=${t.empty.text} />`;
  return html`<ul class="batch-list" aria-label=${t.list}>${batches.map((one) => html`<li key=${one.batch_id}><${Row} batch=${one} /></li>`)}</ul>
    ${batches.length < total && html`<p class="foot"><${Button} onClick=${moreBatches}>${t.more}<//></p>`}`;
}

function Row({ batch }) {
  const ended = batch.completed_count + batch.failed_count;
  return html`<a class="row" href=${batchHash(batch.batch_id)} data-batch=${batch.batch_id}>
    <${Status} job=${batch} />
    <span class="row-name"><${Foreign} text=${batch.batch_name} /></span>
    <span class="row-type">${t.jobs(batch.job_count)}</span>
    <span class="row-detail"><span class="row-line"><span>${t.ends(batch)}</span><${Left} of=${batch} short /></span>
      ${ended < batch.job_count && html`<${Bar} percent=${(100 * ended) / batch.job_count} label=${t.progress} />`}</span>
    <${Ago} time=${batch.created_at} className="row-age" />
  </a>`;
}
