/** Dialogs: a question before something that cannot be undone, and the list of shortcuts. */
import { signal } from "@preact/signals-core";
import { useEffect, useRef } from "preact/hooks";
import { texts } from "../texts.js";
import { IconButton } from "./controls.js";
import { html } from "./html.js";

const question = signal(null);

/** Ask `{title, text, yes, no}` and return whether the answer was yes. */
export function ask(asked) {
  return new Promise((resolve) => {
    question.value = { ...asked, resolve };
  });
}

/** The place of `ask`'s dialog in the page. */
export function Questions() {
  const asked = question.value;
  if (!asked) return null;
  const answer = (yes) => {
    question.value = null;
    asked.resolve(yes);
  };
  return html`<${Dialog} title=${asked.title} onClose=${() => answer(false)}>
    <p>${asked.text}</p>
    <div class="dialog-actions">
      <button type="button" class="button plain" autofocus onClick=${() => answer(false)}>${asked.no}</button>
      <button type="button" class="button danger" data-answer="yes" onClick=${() => answer(true)}>${asked.yes}</button>
    </div>
  <//>`;
}

/** A modal dialog; the browser keeps the focus in it and gives it back. */
export function Dialog({ title, onClose, children }) {
  const box = useRef(null);
  useEffect(() => {
    const dialog = box.current;
    if (!dialog) return undefined;
    const before = document.activeElement;
    dialog.showModal();
    return () => {
      dialog.close();
      if (before && before.isConnected) before.focus();
    };
  }, []);
  const outside = (event) => event.target === box.current && onClose();
  return html`<dialog ref=${box} class="dialog" aria-labelledby="dialog-title" onClick=${outside}
    onCancel=${(event) => { event.preventDefault(); onClose(); }}>
    <div class="dialog-box">
      <header><h2 id="dialog-title">${title}</h2><${IconButton} icon="close" label=${texts.dialog.close} onClick=${onClose} /></header>
      ${children}
    </div>
  </dialog>`;
}
