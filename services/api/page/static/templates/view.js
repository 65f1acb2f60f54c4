/** The list of templates, and one of them. */
import { useEffect } from "preact/hooks";
import { Button, Empty, Foreign, Problem } from "../parts/controls.js";
import { saveText } from "../parts/files.js";
import { html } from "../parts/html.js";
import { Icon } from "../parts/icons.js";
import { explain } from "../state/errors.js";
import { templateHash } from "../state/places.js";
import { texts } from "../texts.js";
import { draft, drafts, problem, readTemplates, templates } from "./store.js";
import { Trial } from "./trial.js";

const t = texts.templates;

export function TemplatesView() {
  return html`<header class="head"><h1>${t.title}</h1></header><p class="hint lead">${t.lead}</p>
    <${Known}>${(found) => html`<ul class="cards" aria-label=${t.list}>${found.map((one) => html`<li key=${one.name}><${Card} one=${one} /></li>`)}</ul>`}<//>`;
}

/** Read the templates, then show them by `children`, a function of the list. */
function Known({ children }) {
  useEffect(() => void readTemplates(), []);
  if (templates.value) return children(templates.value);
  if (problem.value) return html`<${Problem} ...${explain(problem.value)}><${Button} icon="again" onClick=${readTemplates}>${texts.jobs.retry}<//><//>`;
  return html`<p class="foot" role="status">${t.loading}</p>`;
}

function Card({ one }) {
  return html`<a class="card folder-card" href=${templateHash(one.name)}><${Icon} name="template" size=${20} /><span class="folder-name"><${Foreign} text=${one.name} /></span>
    <span class="hint">${one.problem ? html`<span class="wrong">${t.broken}</span>` : t.fields(one.fields.length)} · ${t.origins[one.origin] || one.origin}${drafts.value[one.name] !== undefined && ` · ${t.changed}`}</span></a>`;
}

export function TemplateView({ id }) {
  return html`<a class="back" href="#/templates"><${Icon} name="back" size=${16} />${t.back}</a>
    <${Known}>${(found) => {
      const one = found.find(({ name }) => name === id);
      return one ? html`<${Template} one=${one} />` : html`<${Empty} ...${t.missing} />`;
    }}<//>`;
}

function Template({ one }) {
  const changed = drafts.value[one.name];
  const text = changed ?? one.content;
  useEffect(() => {
    document.title = `${one.name} · ${texts.product}`;
  }, [one.name]);
  return html`<header class="batch-head"><h1><${Foreign} text=${one.name} /></h1><span class="chip">${t.origins[one.origin] || one.origin}</span>
      ${changed !== undefined && html`<span class="chip own">${t.changed}</span>`}</header>
    ${one.problem && html`<${Problem} sentence=${one.problem} />`}
    <div class="template-page"><div class="parts">
      <section class="card part" aria-labelledby="template-text-title"><h2 id="template-text-title">${t.text}</h2>
        <textarea class="template-text mono" rows="16" spellcheck=${false} dir="auto" aria-labelledby="template-text-title" aria-describedby="template-hint" value=${text}
          onInput=${(event) => draft(one, event.currentTarget.value)}></textarea>
        <p class="hint" id="template-hint">${t.textHint} ${t.own}</p>
        <div class="line">${changed !== undefined && html`<${Button} icon="back" onClick=${() => draft(one, one.content)}>${t.reset}<//>`}
          <${Button} icon="download" onClick=${() => saveText(text, `${one.name}.md`)}>${t.save}<//></div></section>
      <${Fields} fields=${one.fields} /></div>
      <${Trial} key=${one.name} name=${one.name} content=${changed} /></div>`;
}

function Fields({ fields }) {
  return html`<section class="card part" aria-labelledby="fields-title"><h2 id="fields-title">${t.fieldsTitle}</h2>
    ${fields.length === 0 ? html`<p class="none">${t.noFields}</p>` : html`<div class="scroll" tabindex="0" role="region" aria-labelledby="fields-title"><table>
      <thead><tr><th scope="col">${t.field}</th><th scope="col">${t.instruction}</th></tr></thead>
      <tbody>${fields.map((one) => html`<tr><td class="mono"><${Foreign} text=${one.name} /></td><td><${Foreign} text=${one.instruction} /></td></tr>`)}</tbody></table></div>`}</section>`;
}
