/** The start of the page: who is signed in, then the place of the address. */
import { render } from "preact";
import { useEffect, useErrorBoundary } from "preact/hooks";
import { signal } from "@preact/signals-core";
import { html } from "./parts/html.js";
import { Shell } from "./shell/shell.js";
import { Questions } from "./parts/dialog.js";
import { listenToKeys, Shortcuts } from "./shell/shortcuts.js";
import { Toaster } from "./shell/toaster.js";
import { Empty } from "./parts/controls.js";
import { begin, session } from "./session/session.js";
import { SignIn } from "./session/sign-in.js";
import { JobsView } from "./jobs/view.js";
import { JobView } from "./job/view.js";
import { BatchesView } from "./batches/list-view.js";
import { BatchView } from "./batches/view.js";
import { DropView } from "./drop/view.js";
import { DocumentView } from "./documents/document.js";
import { DocumentsView } from "./documents/view.js";
import { FolderView } from "./folders/view.js";
import { TemplatesView, TemplateView } from "./templates/view.js";
import { ConnectionsView } from "./connections/view.js";
import { SystemView } from "./system/view.js";
import { route } from "./state/route.js";
import "./state/theme.js";
import { texts } from "./texts.js";

const unreachable = signal(false);

function Place() {
  const place = route.value;
  switch (place.name) {
    case "jobs":
      return html`<${JobsView} filters=${place.filters} />`;
    case "job":
      return html`<${JobView} key=${place.id} id=${place.id} tab=${place.tab} page=${place.page} />`;
    case "batches":
      return html`<${BatchesView} />`;
    case "batch":
      return html`<${BatchView} key=${place.id} id=${place.id} />`;
    case "documents":
      return html`<${DocumentsView} />`;
    case "document":
      return html`<${DocumentView} key=${place.id} id=${place.id} />`;
    case "folder":
      return html`<${FolderView} key=${place.id} id=${place.id} query=${place.query} />`;
    case "templates":
      return html`<${TemplatesView} />`;
    case "template":
      return html`<${TemplateView} key=${place.id} id=${place.id} />`;
    case "new":
      return html`<${DropView} />`;
    case "connections":
      return html`<${ConnectionsView} part=${place.part} />`;
    case "system":
      return html`<${SystemView} />`;
    default:
      return html`<${Empty} ...${texts.lost}><a class="button primary" href="#/jobs">${texts.lost.action}</a><//>`;
  }
}

/** A place that fails leaves the frame, and ends with its address. */
function Guarded({ children }) {
  const [failed, again] = useErrorBoundary((problem) => console.error(problem));
  useEffect(() => again(), [route.value]);
  return failed ? html`<${Empty} title=${texts.errors.unexpected} text=${texts.errors.reload} />` : children;
}

function App() {
  if (unreachable.value) {
    return html`<main class="sign-in"><${Empty} title=${texts.product} text=${texts.signIn.unreachable}>
      <button class="button primary" onClick=${start}>${texts.signIn.tryAgain}</button><//></main>`;
  }
  if (session.value === undefined) return null;
  const inside = session.value ? html`<${Shell}><${Guarded}><${Place} /><//><//><${Shortcuts} />` : html`<${SignIn} />`;
  return html`${inside}<${Questions} /><${Toaster} />`;
}

async function start() {
  try {
    await begin();
    unreachable.value = false;
  } catch {
    unreachable.value = true;
  }
}

listenToKeys();
// A link that is opened in this window begins from the start: nothing of the session before it stays.
addEventListener("hashchange", () => route.value.name === "sign-in" && location.reload());
await start();
const root = document.getElementById("root");
root.replaceChildren();
render(html`<${App} />`, root);
