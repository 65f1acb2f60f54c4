/** The result of a job: texts, tables and downloads. */
import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { Button, copy, Empty, Foreign } from "../parts/controls.js";
import { saveText } from "../parts/files.js";
import { number } from "../parts/formats.js";
import { html } from "../parts/html.js";
import { Icon } from "../parts/icons.js";
import { toast } from "../state/toasts.js";
import { jobName } from "../state/shapes.js";
import { texts } from "../texts.js";
import { rendered } from "./markdown.js";
import { filesOf, tablesOf, textsOf, warningsOf, wordsOf } from "./results.js";

const t = texts.job.result;
const SHOWN = 100000; // characters: more makes the page slow before anybody has read them
const FEW_FILES = 30;

export function Result({ job }) {
  const found = useMemo(() => textsOf(job), [job.results]);
  const tables = useMemo(() => tablesOf(job), [job.results]);
  const files = useMemo(() => filesOf(job), [job.results]);
  if (!job.results) return html`<${Empty} title=${texts.job.tabs.result} text=${job.status === "failed" ? t.failed : t.none} />`;
  return html`<${Warnings} list=${warningsOf(job)} />
    ${found.length + tables.length === 0 && html`<p class="hint">${t.nothing}</p>`}
    ${tables.filter((table) => table.title === t.fields).map((table) => html`<${Table} ...${table} />`)}
    ${found.map((one) => html`<${Text} key=${one.name} ...${one} job=${job} />`)}
    ${tables.filter((table) => table.title !== t.fields).map((table) => html`<${Table} ...${table} />`)}
    ${found.length === 0 && html`<pre class="code" tabindex="0">${JSON.stringify(job.results.structured_data ?? {}, null, 2).slice(0, SHOWN)}</pre>`}
    <${Downloads} job=${job} files=${files} />`;
}

function Warnings({ list }) {
  if (!list.length) return null;
  return html`<section class="note"><h2>${t.warnings}</h2><ul>${list.map((one) => html`<li><${Foreign} text=${one} /></li>`)}</ul></section>`;
}

function Text({ name, title, text, markdown, job }) {
  const [view, setView] = useState(markdown && text.length <= SHOWN ? "formatted" : "plain");
  const [all, setAll] = useState(false);
  const cut = !all && text.length > SHOWN;
  const part = cut ? text.slice(0, SHOWN) : text;
  const copied = async () => toast(...((await copy(text)) ? [texts.job.copied] : [texts.job.notCopied, "error"]));
  return html`<section class="text" aria-label=${title}>
    <header class="text-head"><h2>${title}</h2><span class="hint">${t.words(wordsOf(text))}</span><span class="grow"></span>
      ${markdown && html`<div class="switch" role="group" aria-label=${t.view}>
        ${["formatted", "plain"].map((one) => html`<button type="button" aria-pressed=${view === one} onClick=${() => setView(one)}>${t[one]}</button>`)}</div>`}
      <${Button} icon="copy" onClick=${copied}>${t.copy}<//>
      <${Save} text=${text} name=${`${baseName(job)}${name === "extracted_text" ? "" : `-${name}`}.${markdown ? "md" : "txt"}`} label=${t.asText} />
    </header>
    ${view === "formatted" ? html`<${Formatted} text=${part} />` : html`<pre class="plain-text" dir="auto" tabindex="0">${part}</pre>`}
    ${cut && html`<p class="foot">${t.cut(number(SHOWN), number(text.length))} <${Button} onClick=${() => setAll(true)}>${t.all}<//></p>`}
  </section>`;
}

function Formatted({ text }) {
  const box = useRef(null);
  useEffect(() => {
    let current = true;
    rendered(text).then((nodes) => current && box.current && box.current.replaceChildren(nodes));
    return () => (current = false);
  }, [text]);
  return html`<div class="markdown" ref=${box} dir="auto" tabindex="0"></div>`;
}

function Table({ title, columns, rows }) {
  return html`<section class="text"><h2><${Foreign} text=${title} /></h2><div class="scroll" tabindex="0" role="region" aria-label=${title}><table>
    <thead><tr>${columns.map((one) => html`<th scope="col"><${Foreign} text=${one} /></th>`)}</tr></thead>
    <tbody>${rows.slice(0, 1000).map((row) => html`<tr>${row.map((one) => html`<td><${Foreign} text=${one} /></td>`)}</tr>`)}</tbody></table></div></section>`;
}

function Downloads({ job, files }) {
  const [all, setAll] = useState(false);
  const shown = all ? files : files.slice(0, FEW_FILES);
  return html`<section class="downloads"><h2>${t.downloads}</h2>
    <div class="chips">
      <${Save} text=${() => JSON.stringify(job.results, null, 2)} name=${`${baseName(job)}.json`} label=${t.asJson} />
      ${files.length > 1 && html`<a class="button plain" href=${`/api/jobs/${job.job_id}/download-archive`} download><${Icon} name="download" size=${16} /><span>${t.archive}</span></a>`}
    </div>
    ${files.length > 0 && html`<ul class="file-list" aria-label=${t.files(files.length)}>${shown.map((file) => html`<li><a href=${file.url} download><${Icon} name="file" size=${16} /><${Foreign} text=${file.name} /></a></li>`)}</ul>`}
    ${shown.length < files.length && html`<${Button} onClick=${() => setAll(true)}>${t.files(files.length)}<//>`}</section>`;
}

/** A button that saves a text as a file. */
function Save({ text, name, label }) {
  const save = () => saveText(typeof text === "function" ? text() : text, name);
  return html`<${Button} icon="download" onClick=${save}>${label}<//>`;
}

function baseName(job) {
  return jobName(job).replace(/\.[a-z0-9]{1,5}$/i, "").slice(0, 80) || job.job_id;
}
