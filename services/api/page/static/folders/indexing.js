/** The index of a folder: whether it is there and up to date, and making it again. */
import { Ago, Button, Problem } from "../parts/controls.js";
import { html } from "../parts/html.js";
import { Bar } from "../parts/status.js";
import { useWork } from "../parts/work.js";
import { Loaded, useLoaded } from "../connections/loaded.js";
import { useTargets } from "../documents/paged.js";
import { call, withQuery } from "../state/api.js";
import { explainJob } from "../state/errors.js";
import { jobHash } from "../state/places.js";
import { ended } from "../state/shapes.js";
import { toast } from "../state/toasts.js";
import { texts } from "../texts.js";
import { outdated } from "./rules.js";

const t = texts.folders.index;

export function Index({ id, path, files }) {
  const newest = useLoaded(withQuery("/api/jobs/", { target_id: id, job_type: "embedding", limit: 1 }));
  useTargets((target) => target === id, newest.read);
  const [busy, doing] = useWork();
  const make = doing(async () => {
    await call("POST", `${path}/reindex`);
    toast(t.started);
    await newest.read();
  });
  return html`<section class="card part" aria-labelledby="index-title"><h2 id="index-title">${t.title}</h2>
    <${Loaded} from=${newest}>${({ jobs: [job] }) => html`<${State} job=${job} files=${files} />
      ${(!job || ended(job)) && html`<${Button} icon="again" disabled=${busy} onClick=${make}>${job ? t.again : t.make}<//>`}`}<//></section>`;
}

function State({ job, files }) {
  if (!job) return html`<p class="hint">${t.never}</p>`;
  if (job.status === "completed") return html`<${Done} key=${job.job_id} id=${job.job_id} files=${files} />`;
  if (job.status === "failed") return html`<${Problem} sentence=${t.failed} remedy=${job.error ? explainJob(job.error).sentence : ""} />`;
  return html`<p class="hint" role="status">${t.working} <a href=${jobHash(job.job_id)}>${texts.documents.open}</a></p>
    <${Bar} percent=${job.progress ? job.progress.percent : 0} label=${t.progress} status=${job.status} />`;
}

function Done({ id, files }) {
  const job = useLoaded(`/api/jobs/${encodeURIComponent(id)}`);
  return html`<${Loaded} from=${job}>${({ completed_at: time, results }) => html`<p class="hint" role="status">${t.done(documentsOf(results))} <${Ago} time=${time} /></p>
    ${outdated(files, results) && html`<p class="note">${t.older}</p>`}`}<//>`;
}

const documentsOf = (results) => (((results || {}).structured_data || {}).documents || []).length;
