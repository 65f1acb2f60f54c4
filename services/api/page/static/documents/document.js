/** One document: its text, its pages, and the jobs that read it. */
import { useEffect, useState } from "preact/hooks";
import { Ago, Button, Empty, Foreign, Problem } from "../parts/controls.js";
import { ask } from "../parts/dialog.js";
import { number, size } from "../parts/formats.js";
import { html } from "../parts/html.js";
import { Icon } from "../parts/icons.js";
import { useWork } from "../parts/work.js";
import { Loaded, useLoaded } from "../connections/loaded.js";
import { Pages } from "../job/pages.js";
import { Result } from "../job/result.js";
import { hasPictures } from "../job/results.js";
import { Followed } from "../job/store.js";
import { JobRow } from "../jobs/row.js";
import { call, withQuery } from "../state/api.js";
import { explain, explainJob } from "../state/errors.js";
import { go } from "../state/route.js";
import { toast } from "../state/toasts.js";
import { texts } from "../texts.js";
import { useTargets } from "./paged.js";
import { DocumentStatus } from "./row.js";

const t = texts.documents;
const JOBS = 20; // of those that read the document, the newest

export function DocumentView({ id }) {
  const path = `/v1/documents/${encodeURIComponent(id)}`;
  const found = useLoaded(path);
  const jobs = useLoaded(withQuery("/api/jobs/", { target_id: id, limit: JOBS }));
  const read = () => Promise.all([found.read(), jobs.read()]);
  useTargets((target) => target === id, read);
  return html`<a class="back" href="#/documents"><${Icon} name="back" size=${16} />${t.back}</a>
    ${found.error && found.error.status === 404 ? html`<${Empty} ...${t.missing} />`
      : html`<${Loaded} from=${found}>${(document) => html`<${Head} document=${document} path=${path} read=${read} />
        <${Loaded} from=${jobs}>${({ jobs: about }) => html`<${Body} document=${document} jobs=${about} />`}<//>`}<//>`}`;
}

function Head({ document, path, read }) {
  const [busy, doing] = useWork();
  const { metadata = {}, title } = document;
  const name = metadata.fileName || title || document.documentId;
  useEffect(() => {
    globalThis.document.title = `${name} · ${texts.product}`;
  }, [name]);
  const again = doing(async () => {
    await call("POST", withQuery(`${path}/reextract`, { includeImages: true }));
    toast(t.reading);
    await read();
  });
  const remove = doing(async () => {
    if (!(await ask({ ...t.confirm, no: t.keep }))) return;
    await call("DELETE", path);
    toast(t.removed);
    go("#/documents");
  });
  return html`<header class="batch-head"><h1><${Foreign} text=${name} title=${name.slice(0, 300)} /></h1><${DocumentStatus} status=${document.status} />
      <span class="grow"></span><div class="line"><${Button} icon="again" disabled=${busy} title=${t.againHint} onClick=${again}>${t.again}<//>
      <${Button} kind="quiet-danger" icon="trash" disabled=${busy} onClick=${remove}>${t.remove}<//></div></header>
    <${Facts} document=${document} metadata=${metadata} />`;
}

function Facts({ document, metadata }) {
  const facts = {
    kind: metadata.mimetype && html`<${Foreign} text=${metadata.mimetype} />`,
    size: typeof metadata.size === "number" && size(metadata.size),
    words: typeof document.totalWords === "number" && number(document.totalWords),
    pages: pagesOf(metadata),
    method: metadata.extractionMethod,
    added: html`<${Ago} time=${document.createdAt} />`,
  };
  return html`<dl class="facts">${Object.entries(facts).map(([name, value]) => value && html`<div><dt>${t.facts[name]}</dt><dd>${value}</dd></div>`)}</dl>`;
}

/** Return the number of pages; nothing for a document that has none. */
function pagesOf({ pageCount, page_count: counted = pageCount }) {
  return typeof counted === "number" && number(counted);
}

function Body({ document, jobs }) {
  const reading = jobs.find((job) => job.job_id === document.jobId);
  return html`${document.error && html`<${Problem} sentence=${t.failed} remedy=${reading && reading.error ? explainJob(reading.error).sentence : document.error} />`}
    ${document.jobId ? html`<${Reading} key=${document.jobId} id=${document.jobId} />` : html`<p class="none">${t.notRead}</p>`}
    <section class="document-jobs" aria-labelledby="document-jobs-title"><h2 id="document-jobs-title">${t.jobs}</h2>
      <ul class="batch-list" aria-label=${t.jobs}>${jobs.map((job) => html`<li key=${job.job_id}><${JobRow} job=${job} /></li>`)}</ul></section>`;
}

/** What the job that read the document has of it: pages beside their pictures, and the text. */
function Reading({ id }) {
  const [followed, setFollowed] = useState(null);
  const [part, setPart] = useState("");
  useEffect(() => {
    const following = new Followed(id);
    setFollowed(following);
    return () => following.close();
  }, [id]);
  const job = followed && followed.job.value;
  const problem = followed && followed.problem.value;
  if (problem && (!job || problem.status === 404)) {
    return html`<${Problem} ...${explain(problem)}><${Button} icon="again" onClick=${() => followed.read()}>${texts.jobs.retry}<//><//>`;
  }
  if (!job) return html`<p class="foot" role="status">${t.loadingOne}</p>`;
  if (job.status === "failed") return null;
  const pages = followed.pages.value.length > 1 || (followed.pages.value.length > 0 && hasPictures(job));
  if (!job.results && !pages) return html`<p class="none" role="status">${t.waiting}</p>`;
  const shown = part || (pages ? "pages" : "text");
  return html`${pages && html`<div class="switch document-parts" role="group" aria-label=${t.partsLabel}>
      ${Object.entries(t.parts).map(([name, text]) => html`<button type="button" aria-pressed=${shown === name} onClick=${() => setPart(name)}>${text}</button>`)}</div>`}
    ${shown === "pages" ? html`<${Pages} followed=${followed} job=${job} />` : html`<div class="panel"><${Result} job=${job} /></div>`}`;
}
