/** The folders, and all documents. */
import { useState } from "preact/hooks";
import { Ago, Button, Empty, Foreign, Problem } from "../parts/controls.js";
import { html } from "../parts/html.js";
import { Icon } from "../parts/icons.js";
import { VirtualList } from "../parts/virtual.js";
import { Loaded, useLoaded } from "../connections/loaded.js";
import { NewFolder } from "../folders/new.js";
import { useRowHeight } from "../jobs/view.js";
import { explain } from "../state/errors.js";
import { folderHash } from "../state/places.js";
import { texts } from "../texts.js";
import { usePaged, useTargets } from "./paged.js";
import { DocumentRow } from "./row.js";

const t = texts.documents;

export function DocumentsView() {
  const [creating, setCreating] = useState(false);
  const folders = useLoaded("/v1/folders");
  const documents = usePaged("/v1/documents");
  useTargets((id) => id.startsWith("doc-"), documents.read);
  return html`<header class="head"><h1>${t.title}</h1><span class="grow"></span>
      <${Button} kind="plain" icon="plus" onClick=${() => setCreating(true)}>${texts.folders.create}<//></header>
    <p class="hint lead">${t.lead}</p>
    <${Loaded} from=${folders}>${(found) => html`<${Folders} folders=${found.map((one) => one.value)} />`}<//>
    <${Documents} ...${documents} />
    ${creating && html`<${NewFolder} onClose=${() => setCreating(false)} />`}`;
}

function Folders({ folders }) {
  return html`<section class="folders" aria-labelledby="folders-title"><h2 id="folders-title">${texts.folders.title}</h2>
    ${folders.length === 0 ? html`<p class="none">${texts.folders.none}</p>` : html`<ul class="cards" aria-label=${texts.folders.list}>
      ${folders.map((one) => html`<li key=${one.id}><a class="card folder-card" href=${folderHash(one.id)} data-folder=${one.id}><${Icon} name="folder" size=${20} />
        <span class="folder-name"><${Foreign} text=${one.name || one.id} title=${(one.name || one.id).slice(0, 300)} /></span>
        <span class="hint">${texts.folders.words(one.words || 0)} · <${Ago} time=${one.createdAt} /></span></a></li>`)}</ul>`}</section>`;
}

function Documents({ rows, complete, error, more, read }) {
  const rowHeight = useRowHeight();
  if (!rows && error) return html`<${Problem} ...${explain(error)}><${Button} icon="again" onClick=${read}>${texts.jobs.retry}<//><//>`;
  if (!rows) return html`<p class="foot" role="status">${t.loading}</p>`;
  if (!rows.length) return html`<${Empty} ...${t.empty} />`;
  return html`<section aria-labelledby="documents-title"><h2 id="documents-title">${t.title}</h2>
    <${VirtualList} count=${rows.length} rowHeight=${rowHeight} label=${t.list} keyOf=${(index) => rows[index].id}
      row=${(index) => html`<${DocumentRow} document=${rows[index]} />`} onEnd=${complete ? undefined : more} /></section>`;
}
