/** The page of one job. */
import { useEffect, useRef, useState } from "preact/hooks";
import { Button, copy, Empty, Foreign, IconButton, Left, Problem } from "../parts/controls.js";
import { html } from "../parts/html.js";
import { Icon } from "../parts/icons.js";
import { Bar, Status } from "../parts/status.js";
import { explain, explainJob } from "../state/errors.js";
import { jobHash } from "../state/places.js";
import { listHash, replace } from "../state/route.js";
import { ended, jobName, progressText } from "../state/shapes.js";
import { toast } from "../state/toasts.js";
import { texts } from "../texts.js";
import { Actions } from "./actions.js";
import { Pages } from "./pages.js";
import { Parameters } from "./parameters.js";
import { Result } from "./result.js";
import { Followed } from "./store.js";
import { Summary } from "./summary.js";
import { Timeline } from "./timeline.js";
import { Webhooks } from "./webhooks.js";

const t = texts.job;
const TABS = { __proto__: null, result: Result, pages: Pages, timeline: Timeline, webhooks: Webhooks, parameters: Parameters };

export function JobView({ id, tab, page }) {
  const [followed, setFollowed] = useState(null);
  useEffect(() => {
    const following = new Followed(id);
    setFollowed(following);
    return () => following.close();
  }, [id]);
  if (!followed) return null;
  const job = followed.job.value;
  const problem = followed.problem.value;
  if (problem && problem.status === 404) {
    return html`<${Empty} ...${t.missing}><a class="button primary" href="#/jobs">${t.back}</a><//>`;
  }
  if (!job && problem) {
    return html`<${Problem} ...${explain(problem)}><${Button} icon="again" onClick=${() => followed.read()}>${texts.jobs.retry}<//><//>`;
  }
  if (!job) return html`<p class="foot" role="status">${t.loading}</p>`;
  return html`<${Head} job=${job} followed=${followed} />
    <div class="job-page"><div class="job-main"><${Tabs} job=${job} followed=${followed} tab=${tab} page=${page} /></div><${Summary} job=${job} events=${followed.events.value} /></div>`;
}

function Head({ job, followed }) {
  const name = jobName(job);
  useEffect(() => {
    document.title = `${name} · ${texts.product}`;
  }, [name]);
  const copied = async () => toast(...((await copy(job.job_id)) ? [t.copied] : [t.notCopied, "error"]));
  return html`<header class="job-head">
      <a class="back" href=${listHash.value}><${Icon} name="back" size=${16} /><span>${t.back}</span></a>
      <div class="job-title"><h1><${Foreign} text=${name} title=${name.slice(0, 300)} /></h1><${Status} job=${job} /></div>
      <p class="job-id"><span class="mono">${job.job_id}</span><${IconButton} icon="copy" label=${t.copyId} onClick=${copied} /></p>
      <${Actions} job=${job} followed=${followed} />
    </header>
    ${!ended(job) && html`<div class="job-progress"><${Bar} percent=${job.progress ? job.progress.percent : 0} label=${t.progress} status=${job.status} />
      <p>${job.progress ? html`<span>${progressText(job.progress)}</span><span class="number"><${Left} of=${job} /> ${job.progress.percent} %</span>` : html`<span>${texts.status[job.status]}</span><${Left} of=${job} />`}</p></div>`}
    ${job.error && html`<${Wrong} error=${job.error} />`}`;
}

function Wrong({ error }) {
  const { sentence, remedy } = explainJob(error);
  return html`<section class=${error.code === "CANCELLED" ? "wrong-card mild" : "wrong-card"} aria-labelledby="wrong-title">
    <h2 id="wrong-title">${t.wrong}</h2><p class="wrong-what"><${Foreign} text=${sentence} /></p>
    <p><strong>${t.todo}</strong> ${remedy}</p><p class="hint">${t.code}: <span class="mono">${error.code}</span></p></section>`;
}

function Tabs({ job, followed, tab, page }) {
  const list = useRef(null);
  const chosen = TABS[tab] ? tab : firstTab(job, followed);
  const Panel = TABS[chosen];
  const choose = (name) => replace(jobHash(job.job_id, name));
  const moved = (event) => {
    const names = Object.keys(TABS);
    const by = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!by) return;
    event.preventDefault();
    const next = names[(names.indexOf(chosen) + by + names.length) % names.length];
    choose(next);
    list.current.querySelector(`[data-tab=${next}]`).focus();
  };
  return html`<div class="tab-list" role="tablist" aria-label=${t.tabsLabel} ref=${list} onKeyDown=${moved}>
      ${Object.keys(TABS).map((name) => html`<button type="button" role="tab" id=${`tab-${name}`} data-tab=${name} aria-selected=${name === chosen}
        aria-controls="panel" tabindex=${name === chosen ? 0 : -1} onClick=${() => choose(name)}>${t.tabs[name]}</button>`)}</div>
    <div role="tabpanel" id="panel" aria-labelledby=${`tab-${chosen}`} class="panel"><${Panel} job=${job} followed=${followed} page=${page} /></div>`;
}

function firstTab(job, followed) {
  if (job.status === "completed") return "result";
  if (job.status === "processing" && followed.pages.value.length) return "pages";
  return "timeline";
}
