/** A job's status by shape, colour and word. */
import { texts } from "../texts.js";
import { shownStatus } from "../state/shapes.js";
import { html } from "./html.js";

const SHAPES = {
  pending: html`<circle cx="8" cy="8" r="5.6" class="ring dashed" />`,
  processing: html`<circle cx="8" cy="8" r="5.6" class="ring faint" /><path d="M8 2.4a5.6 5.6 0 0 1 5.6 5.6" class="ring sweep" />`,
  completed: html`<circle cx="8" cy="8" r="7" class="disc" /><path d="M4.8 8.3l2.2 2.2 4.2-4.6" class="inside" />`,
  failed: html`<path d="M5.1 1h5.8L15 5.1v5.8L10.9 15H5.1L1 10.9V5.1z" class="disc" /><path d="M5.7 5.7l4.6 4.6M10.3 5.7l-4.6 4.6" class="inside" />`,
  cancelled: html`<circle cx="8" cy="8" r="5.6" class="ring" /><path d="M4.2 11.8l7.6-7.6" class="ring" />`,
};

/** The shape alone. */
export function StatusShape({ status }) {
  return html`<svg class=${`status-shape ${status}`} width="16" height="16" viewBox="0 0 16 16" aria-hidden="true" focusable="false">
    ${SHAPES[status] || SHAPES.pending}
  </svg>`;
}

/** Shape and word of a job's status. */
export function Status({ job }) {
  const status = shownStatus(job);
  return html`<span class=${`status ${status}`}><${StatusShape} status=${status} /><span>${texts.status[status] || status}</span></span>`;
}

/** A bar of 0 to 100 percent; `moving` while it is not known how far it is. */
export function Bar({ percent, label, status = "processing" }) {
  const value = Math.max(0, Math.min(100, Math.round(percent)));
  return html`<span class=${`bar ${status}`} role="progressbar" aria-label=${label} aria-valuemin="0" aria-valuemax="100" aria-valuenow=${value}>
    <span class="bar-fill" style=${{ transform: `scaleX(${value / 100})` }}></span>
  </span>`;
}
