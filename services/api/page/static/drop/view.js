/** Where files and addresses become jobs. */
import { useRef, useState } from "preact/hooks";
import { Button } from "../parts/controls.js";
import { html } from "../parts/html.js";
import { Icon } from "../parts/icons.js";
import { VirtualList } from "../parts/virtual.js";
import { texts } from "../texts.js";
import { Item } from "./item.js";
import { Options } from "./options.js";
import { addAddresses, addFiles, clearDone, queue, retry, start, version } from "./queue.js";
import { addressesOf, estimateSum, standing } from "./rules.js";

const t = texts.drop;
const ROW = 68;

export function DropView() {
  return html`<header class="head"><h1>${t.title}</h1></header>
    <div class="drop-page">
      <div class="drop-main"><${Zone} /><${Address} /><${Queue} /></div>
      <${Options} />
    </div>`;
}

function Zone() {
  const field = useRef(null);
  const chosen = (event) => {
    addFiles([...event.currentTarget.files]);
    event.currentTarget.value = "";
  };
  return html`<div class="zone"><${Icon} name="upload" size=${30} />
    <p class="zone-title">${t.zone}</p><p class="hint">${t.zoneHint}</p>
    <input ref=${field} type="file" multiple class="sr-only" id="files" tabindex="-1" aria-hidden="true" onChange=${chosen} />
    <${Button} kind="primary" icon="file" onClick=${() => field.current.click()}>${t.choose}<//></div>`;
}

function Address() {
  const [problem, setProblem] = useState("");
  const submit = (event) => {
    event.preventDefault();
    const field = event.currentTarget.elements.namedItem("url");
    const found = addressesOf(field.value);
    setProblem(found ? "" : t.badUrl);
    if (found && addAddresses(found)) field.value = "";
  };
  return html`<form class="address" onSubmit=${submit} novalidate><label for="url">${t.url}</label>
    <div class="joined"><input id="url" name="url" type="text" inputmode="url" dir="auto" autocomplete="off" spellcheck=${false} placeholder=${t.urlHint}
      aria-invalid=${Boolean(problem)} aria-describedby="url-problem" /><button class="button plain" type="submit">${t.add}</button></div>
    <p class="hint wrong" id="url-problem" role="alert">${problem}</p></form>`;
}

function Queue() {
  version.value; // drawn again at each change of the queue
  const items = queue();
  const wrong = items.filter((item) => standing(item) === "wrong");
  const asked = items.filter((item) => item.state === "asked");
  const done = items.filter((item) => standing(item) === "done").length;
  return html`<section class="queue" aria-labelledby="queue-title">
    <header><h2 id="queue-title">${t.queue}</h2>
      ${items.length > 0 && html`<p class="queue-sum">${t.sum(done, items.length)}${wrong.length > 0 && html`<span class="wrong">, ${t.failed(wrong.length)}</span>`}</p>`}
      <span class="grow"></span>
      ${asked.length > 1 && html`<${Button} kind="primary" onClick=${() => asked.forEach(start)}>${t.startAll(asked.length)}<//>`}
      ${wrong.length > 1 && html`<${Button} icon="again" onClick=${() => wrong.forEach(retry)}>${t.retryAll}<//>`}
      ${done > 0 && html`<${Button} onClick=${clearDone}>${t.clearDone}<//>`}</header>
    ${asked.length > 1 && html`<p class="hint" role="status">${estimateSum(items)}</p>`}
    ${items.length === 0
      ? html`<p class="hint">${t.queueEmpty}</p>`
      : html`<${VirtualList} count=${items.length} rowHeight=${ROW} label=${t.queue} keyOf=${(index) => items[index].id}
          row=${(index) => html`<${Item} item=${items[index]} />`} />`}
  </section>`;
}
