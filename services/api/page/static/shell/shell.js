/** The frame around every place: navigation, theme, session, connection, and dropping files anywhere. */
import { useEffect, useLayoutEffect, useState } from "preact/hooks";
import { signOut, session } from "../session/session.js";
import { announce } from "../state/announce.js";
import { reachable } from "../state/api.js";
import { former, go, route } from "../state/route.js";
import { connection, follow } from "../state/stream.js";
import { nextTheme, theme } from "../state/theme.js";
import { toastError } from "../state/toasts.js";
import { addDropped } from "../drop/queue.js";
import { texts } from "../texts.js";
import { focusContent, Foreign, IconButton } from "../parts/controls.js";
import { html } from "../parts/html.js";
import { Icon, Mark } from "../parts/icons.js";
import { Navigation, titleOf } from "./navigation.js";
import { showShortcuts } from "./shortcuts.js";

const t = texts.nav;

export function Shell({ children }) {
  const place = route.value;
  useLayoutEffect(() => {
    document.title = `${titleOf(place.name)} · ${texts.product}`; // before the effects of the places, which know more
  }, [place.name, place.id]);
  useEffect(() => {
    if (former && place.name !== "jobs") focusContent(); // for screen readers
    if (place.name !== "jobs") scrollTo(0, 0);
  }, [place.name, place.id]);
  return html`<a class="skip" href="#content" onClick=${skip}>${texts.skip}</a>
    <${Side} place=${place.name} />
    <div class="page">
      <${Banner} />
      <main id="content" tabindex="-1">${children}</main>
    </div>
    <${DropAnywhere} />`;
}

function skip(event) {
  event.preventDefault();
  document.getElementById("content").focus();
}

function Side({ place }) {
  return html`<header class="side">
    <a class="brand" href="#/jobs" aria-label=${texts.product}><${Mark} /><span>${texts.product}</span></a>
    <${Navigation} place=${place} />
    <div class="side-foot">
      <${Connection} />
      <div class="side-tools">
        <${IconButton} icon=${theme.value} label=${t.theme[theme.value]} onClick=${nextTheme} />
        <${IconButton} class="icon-button for-keyboards" icon="keyboard" label=${t.shortcuts} onClick=${showShortcuts} />
        <a class="icon-button" href="/api/doc" target="_blank" rel="noopener" aria-label=${t.docs} title=${t.docs}><${Icon} name="book" /></a>
        <${IconButton} icon="out" label=${t.signOut} onClick=${() => signOut().catch(toastError)} />
      </div>
      <p class="owner" title=${t.signedInAs(session.value.owner)}><${Foreign} text=${session.value.owner} /></p>
    </div>
  </header>`;
}

function Connection() {
  const state = connection.value;
  return html`<p class=${`connection ${state}`}><span class="dot" aria-hidden="true"></span>${texts.connection[state]}</p>`;
}

function Banner() {
  const broken = connection.value === "broken" || !reachable.value;
  const [was, setWas] = useState(false);
  useEffect(() => {
    if (broken) announce(texts.connection.banner);
    else if (was) announce(texts.connection.back);
    setWas(broken);
  }, [broken]);
  if (!broken) return null;
  return html`<div class="banner"><span>${texts.connection.banner}</span>
    <button type="button" class="button plain" onClick=${follow}>${texts.connection.retry}</button></div>`;
}

function DropAnywhere() {
  const [over, setOver] = useState(false);
  useEffect(() => {
    let depth = 0;
    const files = (event) => event.dataTransfer && [...event.dataTransfer.types].includes("Files");
    const enter = (event) => files(event) && ((depth += 1), setOver(true));
    const leave = (event) => files(event) && (depth -= 1) <= 0 && setOver(false);
    const hold = (event) => files(event) && event.preventDefault();
    const drop = (event) => {
      if (!files(event)) return;
      event.preventDefault();
      depth = 0;
      setOver(false);
      const { name, id } = route.value;
      if (name !== "folder") go("#/new");
      addDropped(event.dataTransfer, name === "folder" ? id : "");
    };
    const all = { dragenter: enter, dragleave: leave, dragover: hold, drop };
    for (const [name, listener] of Object.entries(all)) addEventListener(name, listener);
    return () => Object.entries(all).forEach(([name, listener]) => removeEventListener(name, listener));
  }, []);
  return over ? html`<div class="drop-anywhere" aria-hidden="true"><${Icon} name="upload" size=${40} /><p>${route.value.name === "folder" ? texts.folders.dropped : texts.drop.anywhere}</p></div>` : null;
}
