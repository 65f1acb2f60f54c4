/** The filters by status, with the owner's numbers, and by type. */
import { number } from "../parts/formats.js";
import { html } from "../parts/html.js";
import { StatusShape } from "../parts/status.js";
import { STATUSES } from "../state/shapes.js";
import { texts } from "../texts.js";
import { numbers } from "./store.js";

const t = texts.jobs;

export function Filters({ filters, onChange }) {
  const known = numbers.value || {};
  return html`<div class="filters">
    <div class="tabs" role="group" aria-label=${t.filters}>
      <${Choice} chosen=${!filters.status} onClick=${() => onChange({ status: "" })} value=${known.total}>${t.all}<//>
      ${STATUSES.map((status) => html`<${Choice} key=${status} status=${status} chosen=${filters.status === status} value=${known[status]}
        onClick=${() => onChange({ status: filters.status === status ? "" : status })}>${texts.status[status]}<//>`)}
    </div>
    <label class="select"><span class="sr-only">${t.type}</span>
      <select value=${filters.type} onChange=${(event) => onChange({ type: event.currentTarget.value })}>
        <option value="">${t.anyType}</option>
        ${Object.entries(texts.types).map(([type, name]) => html`<option value=${type} selected=${filters.type === type}>${name}</option>`)}
      </select></label>
  </div>`;
}

function Choice({ chosen, status, value, onClick, children }) {
  return html`<button type="button" class="tab" aria-pressed=${chosen} data-status=${status || "all"} onClick=${onClick}>
    ${status && html`<${StatusShape} status=${status} />`}<span>${children}</span>
    ${value !== undefined && html`<span class="tab-number">${number(value)}</span>`}</button>`;
}
