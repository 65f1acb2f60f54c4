/** One batch: its sum, and its jobs with their states. */
import { useCallback, useEffect } from "preact/hooks";
import { Ago, Button, Empty, Foreign, Left, Problem } from "../parts/controls.js";
import { number } from "../parts/formats.js";
import { html } from "../parts/html.js";
import { Icon } from "../parts/icons.js";
import { Bar, Status, StatusShape } from "../parts/status.js";
import { VirtualList } from "../parts/virtual.js";
import { JobRow } from "../jobs/row.js";
import { useRowHeight } from "../jobs/view.js";
import { explain } from "../state/errors.js";
import { withLatestEta } from "../state/shapes.js";
import { texts } from "../texts.js";
import { batch, members, moreMembers, openBatch, problem, version } from "./store.js";

const t = texts.batches;
const COUNTS = [["pending", "pending_jobs"], ["processing", "processing_jobs"], ["completed", "completed_jobs"], ["failed", "failed_jobs"]];

export function BatchView({ id }) {
  useEffect(() => void openBatch(id), [id]);
  const found = batch.value;
  return html`<a class="back" href="#/batches"><${Icon} name="back" size=${16} />${t.back}</a>
    ${problem.value && html`<${Trouble} id=${id} />`}
    ${found && found.batch_id === id && html`<${Sum} batch=${found} /><${Members} />`}
    ${!found && !problem.value && html`<p class="foot" role="status">${t.loadingOne}</p>`}`;
}

function Trouble({ id }) {
  if (problem.value.status === 404) return html`<${Empty} title=${t.missing.title} text=${t.missing.text} />`;
  return html`<${Problem} ...${explain(problem.value)}><${Button} icon="again" onClick=${() => openBatch(id)}>${texts.jobs.retry}<//><//>`;
}

function Sum({ batch }) {
  void version.value; // drawn again with each change of a job
  const ended = batch.completed_count + batch.failed_count;
  return html`<header class="batch-head"><h1><${Foreign} text=${batch.batch_name} /></h1><${Status} job=${batch} />
      <span class="hint"><${Ago} time=${batch.created_at} /></span></header>
    <div class="batch-sum"><${Bar} percent=${batch.job_count ? (100 * ended) / batch.job_count : 0} label=${t.progress} status=${batch.status} />
      <p><span role="status">${t.ended(ended, batch.job_count)}</span><${Left} of=${withLatestEta(batch, members().jobs.values())} /></p>
      <dl>${COUNTS.map(([status, key]) => html`<div data-count=${status}><dt><${StatusShape} status=${status} />${texts.status[status]}</dt><dd>${number(batch[key])}</dd></div>`)}</dl>
    </div>`;
}

function Members() {
  const rowHeight = useRowHeight();
  void version.value; // drawn again with each change
  const listing = members();
  const onEnd = useCallback(() => moreMembers(), []);
  return html`<${VirtualList} count=${listing.order.length} rowHeight=${rowHeight} label=${t.members} keyOf=${(index) => listing.order[index]}
    row=${(index) => html`<${JobRow} job=${listing.jobs.get(listing.order[index])} />`} onEnd=${onEnd} total=${batch.value.job_count} />`;
}
