/** One folder: its search, its index, its documents, and uploads into it. */
import { useCallback, useEffect } from "preact/hooks";
import { Button, Empty, focusContent, Foreign, IconButton, Problem } from "../parts/controls.js";
import { ask } from "../parts/dialog.js";
import { html } from "../parts/html.js";
import { Icon } from "../parts/icons.js";
import { VirtualList } from "../parts/virtual.js";
import { useWork } from "../parts/work.js";
import { Loaded, useLoaded } from "../connections/loaded.js";
import { usePaged, useTargets } from "../documents/paged.js";
import { DocumentRow } from "../documents/row.js";
import { Queue } from "../drop/list.js";
import { Check } from "../drop/options.js";
import { options } from "../drop/queue.js";
import { Zone } from "../drop/zone.js";
import { useRowHeight } from "../jobs/view.js";
import { call } from "../state/api.js";
import { explain } from "../state/errors.js";
import { go } from "../state/route.js";
import { toast } from "../state/toasts.js";
import { texts } from "../texts.js";
import { Index } from "./indexing.js";
import { Search } from "./search.js";

const t = texts.folders;

export function FolderView({ id, query }) {
  const path = `/v1/folders/${encodeURIComponent(id)}`;
  const folder = useLoaded(path);
  const files = usePaged(`${path}/files`);
  useTargets((target) => target.startsWith("doc-"), () => Promise.all([files.read(), folder.read()]));
  return html`<a class="back" href="#/documents"><${Icon} name="back" size=${16} />${texts.documents.back}</a>
    ${folder.error && folder.error.status === 404 ? html`<${Empty} ...${t.missing} />`
      : html`<${Loaded} from=${folder}>${(found) => html`<${Head} folder=${found} path=${path} />
        <div class="drop-page"><div class="drop-main"><${Search} id=${id} query=${query} /><${Files} path=${path} ...${files} /></div>
          <aside class="folder-side"><${Index} id=${id} path=${path} files=${files.rows || []} /><${Upload} id=${id} /></aside></div>`}<//>`}`;
}

function Head({ folder, path }) {
  const [busy, doing] = useWork();
  const remove = doing(async () => {
    if (!(await ask({ ...t.confirm, no: t.keep }))) return;
    await call("DELETE", path);
    toast(t.removed);
    go("#/documents");
  });
  const name = folder.name || folder.id;
  useEffect(() => {
    document.title = `${name} · ${texts.product}`;
  }, [name]);
  return html`<header class="batch-head"><h1><${Foreign} text=${name} title=${name.slice(0, 300)} /></h1><span class="hint">${t.words(folder.words || 0)}</span><span class="grow"></span>
      <${Button} kind="quiet-danger" icon="trash" disabled=${busy} onClick=${remove}>${t.remove}<//></header>
    ${folder.description && html`<p class="lead clamped" title=${folder.description.slice(0, 1000)}><${Foreign} text=${folder.description} /></p>`}`;
}

function Upload({ id }) {
  return html`<section class="card part" aria-label=${t.zone}><${Zone} title=${t.zone} hint=${t.zoneHint} folder=${id} className="small" />
    <${Check} name="images" label=${texts.drop.images} hint=${texts.drop.imagesHint} value=${options.value.images} />
    <${Queue} folder=${id} /></section>`;
}

function Files({ path, rows, complete, error, more, read }) {
  const rowHeight = useRowHeight();
  const [busy, doing] = useWork();
  const takeOut = useCallback((file) => doing(async () => {
    await call("DELETE", `${path}/files/${encodeURIComponent(file.id)}`);
    toast(t.takenOut);
    await read();
    focusContent();
  })(), [path, read]);
  if (!rows && error) return html`<${Problem} ...${explain(error)}><${Button} icon="again" onClick=${read}>${texts.jobs.retry}<//><//>`;
  if (!rows) return html`<p class="foot" role="status">${t.loading}</p>`;
  const row = (file) => html`<div class="file-row"><${DocumentRow} document=${file} />
    <${IconButton} icon="close" label=${`${t.takeOut}: ${(file.name || file.id).slice(0, 100)}`} disabled=${busy} onClick=${() => takeOut(file)} /></div>`;
  return html`<section aria-labelledby="files-title"><h2 id="files-title">${t.files}</h2>
    ${rows.length === 0 ? html`<p class="none">${t.noFiles}</p>` : html`<${VirtualList} count=${rows.length} rowHeight=${rowHeight} label=${t.files}
      keyOf=${(index) => rows[index].id} row=${(index) => row(rows[index])} onEnd=${complete ? undefined : more} />`}</section>`;
}
