/** One document in a list: a link to its page. */
import { Ago, Foreign } from "../parts/controls.js";
import { size } from "../parts/formats.js";
import { html } from "../parts/html.js";
import { Status } from "../parts/status.js";
import { documentHash } from "../state/places.js";
import { texts } from "../texts.js";

export function DocumentRow({ document }) {
  const name = document.name || document.id;
  return html`<a class="row" href=${documentHash(document.id)} data-document=${document.id}>
    <${DocumentStatus} status=${document.status} />
    <span class="row-name"><${Foreign} text=${name} title=${name.slice(0, 300)} /></span>
    <span class="row-type">${typeof document.size === "number" && size(document.size)}</span>
    <span class="row-detail"><${Foreign} text=${document.mimetype || ""} /></span>
    <${Ago} time=${document.createdAt} className="row-age" /></a>`;
}

/** The status of a document, which is that of the newest job that reads it. */
export function DocumentStatus({ status }) {
  return html`<${Status} job=${{ status: texts.documents.statuses[status] || "pending" }} />`;
}
