/** The timeline of a job, made of its facts. */
import { Ago, Empty, Foreign } from "../parts/controls.js";
import { html } from "../parts/html.js";
import { Icon } from "../parts/icons.js";
import { texts } from "../texts.js";
import { timeline } from "./facts.js";

const t = texts.job.timeline;
const ICONS = { plain: "plus", run: "play", pause: "pause", retry: "again", step: "chevron", good: "check", bad: "close", stop: "stop" };

export function Timeline({ followed, job }) {
  const entries = timeline(followed.events.value, (code) => sentence(code, job));
  if (!entries.length) return html`<${Empty} title=${texts.job.tabs.timeline} text=${t.empty} />`;
  return html`<ol class="timeline">${entries.map((entry) => html`<${Entry} key=${entry.key} entry=${entry} />`)}</ol>
    <${Log} logs=${job.logs || []} />`;
}

function sentence(code, job) {
  if (job.error && job.error.code === code) return job.error.message;
  return texts.codes[code] || code;
}

function Entry({ entry }) {
  return html`<li class=${`entry ${entry.tone}`}><span class="entry-mark"><${Icon} name=${ICONS[entry.tone]} size=${14} /></span>
    <div class="entry-body"><p class="entry-title">${entry.title}${entry.attempt > 1 && entry.name !== "JobStarted" && html`<span class="chip">${t.attempt(entry.attempt)}</span>`}</p>
      ${entry.text && html`<p class="entry-text"><${Foreign} text=${entry.text} /></p>`}
      ${entry.details.length > 0 && html`<details><summary>${t.details}</summary><dl class="pairs">${entry.details.map(([name, value]) => html`<div><dt>${name}</dt><dd class="mono"><${Foreign} text=${String(value)} /></dd></div>`)}</dl></details>`}
    </div><${Ago} time=${entry.until || entry.time} className="hint" /></li>`;
}

function Log({ logs }) {
  if (!logs.length) return null;
  return html`<details class="log"><summary>${texts.job.logs}</summary><ol>${logs.map((one) => html`<li class=${one.level}>
    <time class="mono">${one.timestamp}</time> <${Foreign} text=${one.message} /></li>`)}</ol></details>`;
}
