/** Connections of programs: webhooks, API keys, and the limits of the owner. */
import { useState } from "preact/hooks";
import { html } from "../parts/html.js";
import { session } from "../session/session.js";
import { texts } from "../texts.js";
import { Endpoints } from "./endpoints.js";
import { ApiKeys } from "./keys.js";
import { Limits } from "./limits.js";
import { SigningKeys } from "./signing.js";
import { Trial } from "./trial.js";

const t = texts.connections;
const PLACES = { webhooks: "#/connections", keys: "#/connections/keys", limits: "#/connections/limits" };
const ADMIN_ONLY = new Set(["keys"]);

export function ConnectionsView({ part }) {
  const admin = session.value.scopes.includes("admin");
  const shown = Object.entries(PLACES).filter(([name]) => admin || !ADMIN_ONLY.has(name));
  return html`<header class="head"><h1>${t.title}</h1></header>
    <nav class="places" aria-label=${t.partsLabel}>${shown.map(([name, place]) => html`<a href=${place} aria-current=${name === part ? "page" : undefined}>${t.parts[name]}</a>`)}</nav>
    <div class="parts">${part === "keys" ? html`<${ApiKeys} />` : part === "limits" ? html`<${Limits} />` : html`<${Webhooks} admin=${admin} />`}</div>`;
}

function Webhooks({ admin }) {
  const [tried, setTried] = useState("");
  const diagnose = (url) => {
    setTried(url);
    setTimeout(() => document.getElementById("trial-url")?.focus());
  };
  return html`<${Endpoints} onDiagnose=${diagnose} /><${Trial} url=${tried} /><${SigningKeys} admin=${admin} />`;
}
