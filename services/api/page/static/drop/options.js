/** The options of new jobs; each explains itself. */
import { useEffect } from "preact/hooks";
import { html } from "../parts/html.js";
import { problem, readTemplates, templates } from "../templates/store.js";
import { texts } from "../texts.js";
import { options } from "./queue.js";
import { wrongOptions } from "./rules.js";

const t = texts.drop;

const change = (changed) => {
  options.value = { ...options.value, ...changed };
};

export function Options() {
  const chosen = options.value;
  const wrong = wrongOptions(chosen);
  const pdf = chosen.type === "auto" || chosen.type === "pdf";
  return html`<section class="options card" aria-labelledby="options-title">
    <h2 id="options-title">${t.options}</h2>
    <p class="hint">${t.optionsHint}</p>
    <${Choice} name="type" label=${t.type} choices=${t.types} value=${chosen.type} />
    ${pdf && html`<${Choice} name="method" label=${t.method} choices=${t.methods} value=${chosen.method} />
      <fieldset class="field"><legend>${t.pages}</legend>
        <div class="pair">
          <input inputmode="numeric" maxlength="6" aria-label=${t.from} placeholder=${t.from} value=${chosen.from} aria-describedby="pages-hint"
            onInput=${(event) => change({ from: event.currentTarget.value.trim() })} />
          <span aria-hidden="true">–</span>
          <input inputmode="numeric" maxlength="6" aria-label=${t.to} placeholder=${t.to} value=${chosen.to} aria-describedby="pages-hint"
            onInput=${(event) => change({ to: event.currentTarget.value.trim() })} />
        </div><${Hint} id="pages-hint" text=${t.pagesHint} wrong=${wrong.pages} /></fieldset>
      <${TemplateChoice} value=${chosen.template} />
      <${Check} name="images" label=${t.images} hint=${t.imagesHint} value=${chosen.images} />`}
    <${Field} name="webhook" label=${t.webhook} hint=${t.webhookHint} value=${chosen.webhook} wrong=${wrong.webhook} type="url" placeholder=${t.urlHint} />
    ${chosen.webhook && html`<${Field} name="token" label=${t.token} hint=${t.tokenHint} value=${chosen.token} type="password" />`}
    <${Check} name="ask" label=${t.ask} hint=${t.askHint} value=${chosen.ask} />
    <${Check} name="fresh" label=${t.fresh} hint=${t.freshHint} value=${chosen.fresh} />
  </section>`;
}

function Choice({ name, label, choices, value }) {
  const id = `option-${name}`;
  return html`<div class="field"><label for=${id}>${label}</label>
    <select id=${id} value=${value} aria-describedby=${`${id}-hint`} onChange=${(event) => change({ [name]: event.currentTarget.value })}>
      ${Object.entries(choices).map(([key, [title]]) => html`<option value=${key} selected=${key === value}>${title}</option>`)}
    </select><${Hint} id=${`${id}-hint`} text=${choices[value][1]} /></div>`;
}

/** The templates of the server; one that was chosen stays, also while the list is not known. */
function TemplateChoice({ value }) {
  useEffect(() => void readTemplates(), []);
  const usable = (templates.value || []).filter((one) => !one.problem).map((one) => one.name);
  const names = value && !usable.includes(value) ? [value, ...usable] : usable;
  return html`<div class="field"><label for="option-template">${t.template}</label>
    <select id="option-template" aria-describedby="option-template-hint" onChange=${(event) => change({ template: event.currentTarget.value })}>
      <option value="" selected=${!value}>${t.noTemplate}</option>
      ${names.map((name) => html`<option value=${name} selected=${name === value}>${name}</option>`)}
    </select><${Hint} id="option-template-hint" text=${problem.value && !templates.value ? t.unlistedTemplates : t.templateHint} /></div>`;
}

function Field({ name, label, hint, value, wrong, type = "text", placeholder }) {
  const id = `option-${name}`;
  return html`<div class="field"><label for=${id}>${label}</label>
    <input id=${id} type=${type} dir="auto" autocomplete="off" spellcheck=${false} maxlength="2048" value=${value} placeholder=${placeholder}
      aria-invalid=${Boolean(wrong)} aria-describedby=${`${id}-hint`} onInput=${(event) => change({ [name]: event.currentTarget.value })} />
    <${Hint} id=${`${id}-hint`} text=${hint} wrong=${wrong} /></div>`;
}

export function Check({ name, label, hint, value }) {
  const id = `option-${name}`;
  return html`<div class="field"><label class="check"><input type="checkbox" id=${id} checked=${value} aria-describedby=${`${id}-hint`}
    onChange=${(event) => change({ [name]: event.currentTarget.checked })} /> ${label}</label><${Hint} id=${`${id}-hint`} text=${hint} /></div>`;
}

function Hint({ id, text, wrong }) {
  return html`<p class=${wrong ? "hint wrong" : "hint"} id=${id}>${wrong || text}</p>`;
}
