/** The form for an API key. */
import { useState } from "preact/hooks";
import { explain } from "../state/errors.js";
import { Problem } from "../parts/controls.js";
import { html } from "../parts/html.js";
import { Mark } from "../parts/icons.js";
import { texts } from "../texts.js";
import { reason, signIn } from "./session.js";

const t = texts.signIn;

export function SignIn() {
  const [problem, setProblem] = useState(null);
  const [busy, setBusy] = useState(false);
  const [shown, setShown] = useState(false);

  async function submit(event) {
    event.preventDefault();
    const field = event.currentTarget.elements.namedItem("key");
    const key = field.value.trim();
    if (!key) return setProblem({ sentence: t.empty, remedy: "" });
    setBusy(true);
    try {
      await signIn(key);
      field.value = "";
    } catch (error) {
      setProblem(error.status === 401 ? { sentence: t.refused, remedy: "" } : explain(error));
      field.select();
    } finally {
      setBusy(false);
    }
  }

  return html`<main class="sign-in" id="content" tabindex="-1">
    <form onSubmit=${submit}>
      <${Mark} />
      <h1>${t.title}</h1>
      ${reason.value && html`<p class="note" role="status">${t.reasons[reason.value]}</p>`}
      <p class="lead">${t.lead}</p>
      <label for="key">${t.key}</label>
      <input id="key" name="key" type=${shown ? "text" : "password"} autocomplete="off" autocapitalize="off"
        spellcheck=${false} aria-describedby="key-hint" autofocus />
      <label class="check"><input type="checkbox" checked=${shown} onChange=${() => setShown(!shown)} /> ${t.show}</label>
      <p class="hint" id="key-hint">${t.hint}</p>
      ${problem && html`<${Problem} ...${problem} />`}
      <button type="submit" class="button primary wide" disabled=${busy}>${busy ? t.busy : t.submit}</button>
    </form>
  </main>`;
}
