/** The services, and the queue by owner and type, as tables. */
import { Ago, Foreign } from "../parts/controls.js";
import { number } from "../parts/formats.js";
import { html } from "../parts/html.js";
import { texts } from "../texts.js";
import { processRows } from "./figures.js";

const t = texts.system;

export function Services({ services }) {
  return html`<${Table} label=${t.services.title} columns=${t.services.columns} numbers=${2}>${processRows(services).map((row) => html`<tr key=${`${row.service} ${row.process}`} data-service=${row.service}>
    <th scope="row">${t.services.names[row.service] || row.service}</th>
    <td>${row.process === null ? html`<span class=${row.state === "none" ? "wrong" : "hint"}>${t.services.states[row.state]}</span>` : html`<${Foreign} text=${row.process} className="mono" />`}</td>
    <td class="number">${row.lag}</td><td class="number">${row.slots}</td><td class="number">${row.partitions}</td></tr>`)}<//>`;
}

export function Queue({ queue }) {
  if (!queue.groups.length) return html`<p class="none">${t.queue.none}</p>`;
  return html`<${Table} label=${t.queue.title} columns=${t.queue.columns} numbers=${2}>${queue.groups.map((one) => html`<tr key=${`${one.owner} ${one.job_type}`}>
      <th scope="row"><${Foreign} text=${one.owner} /></th><td><${Foreign} text=${texts.types[one.job_type] || one.job_type} /></td>
      <td class="number">${number(one.pending)}</td><td class="number">${number(one.processing)}</td><td class="number">${one.oldest_at ? html`<${Ago} time=${one.oldest_at} />` : ""}</td></tr>`)}<//>
    ${queue.left_out > 0 && html`<p class="hint">${t.queue.leftOut(queue.left_out)}</p>`}`;
}

/** A table that scrolls in its own box on a narrow screen. The columns after the first `numbers` have numbers. */
function Table({ label, columns, numbers, children }) {
  return html`<div class="scrolled" tabindex="0" role="region" aria-label=${label}><table class="figures"><thead><tr>${columns.map((name, index) => html`<th scope="col" class=${index >= numbers ? "number" : ""}>${name}</th>`)}</tr></thead>
    <tbody>${children}</tbody></table></div>`;
}
