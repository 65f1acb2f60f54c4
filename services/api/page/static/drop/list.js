/** What was added: its uploads and its jobs. */
import { Button } from "../parts/controls.js";
import { html } from "../parts/html.js";
import { VirtualList } from "../parts/virtual.js";
import { texts } from "../texts.js";
import { Item } from "./item.js";
import { clearDone, queue, retry, start, version } from "./queue.js";
import { estimateSum, standing } from "./rules.js";

const t = texts.drop;
const ROW = 68;

/** The queue, or what of it goes into a folder. */
export function Queue({ folder = "" }) {
  version.value; // drawn again at each change of the queue
  const items = queue().filter((item) => !folder || item.folder === folder);
  const wrong = items.filter((item) => standing(item) === "wrong");
  const asked = items.filter((item) => item.state === "asked");
  const done = items.filter((item) => standing(item) === "done").length;
  return html`<section class="queue" aria-labelledby="queue-title">
    <header><h2 id="queue-title">${t.queue}</h2>
      ${items.length > 0 && html`<p class="queue-sum">${t.sum(done, items.length)}${wrong.length > 0 && html`<span class="wrong">, ${t.failed(wrong.length)}</span>`}</p>`}
      <span class="grow"></span>
      ${asked.length > 1 && html`<${Button} kind="primary" onClick=${() => asked.forEach(start)}>${t.startAll(asked.length)}<//>`}
      ${wrong.length > 1 && html`<${Button} icon="again" onClick=${() => wrong.forEach(retry)}>${t.retryAll}<//>`}
      ${done > 0 && html`<${Button} onClick=${() => clearDone(folder)}>${t.clearDone}<//>`}</header>
    ${asked.length > 1 && html`<p class="hint" role="status">${estimateSum(items)}</p>`}
    ${items.length === 0
      ? html`<p class="hint">${t.queueEmpty}</p>`
      : html`<${VirtualList} count=${items.length} rowHeight=${ROW} label=${t.queue} keyOf=${(index) => items[index].id}
          row=${(index) => html`<${Item} item=${items[index]} />`} />`}
  </section>`;
}
