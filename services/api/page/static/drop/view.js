/** Where files and addresses become jobs. */
import { useState } from "preact/hooks";
import { html } from "../parts/html.js";
import { texts } from "../texts.js";
import { Queue } from "./list.js";
import { Options } from "./options.js";
import { addAddresses } from "./queue.js";
import { addressesOf } from "./rules.js";
import { Zone } from "./zone.js";

const t = texts.drop;

export function DropView() {
  return html`<header class="head"><h1>${t.title}</h1></header>
    <div class="drop-page">
      <div class="drop-main"><${Zone} /><${Address} /><${Queue} /></div>
      <${Options} />
    </div>`;
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
