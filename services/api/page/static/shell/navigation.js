/** The navigation: at the side, or on a phone a bar with a menu for what has no room in it. */
import { useEffect, useRef, useState } from "preact/hooks";
import { html } from "../parts/html.js";
import { Icon } from "../parts/icons.js";
import { session } from "../session/session.js";
import { texts } from "../texts.js";

const t = texts.nav;
const IN_BAR = 4; // the menu is the fifth: more do not fit 360 pixels

/** In their order: name, icon, the places that belong to it, and `scope` if only callers with that one see it. */
const ENTRIES = [
  { name: "jobs", icon: "jobs", places: ["jobs", "job"] },
  { name: "documents", icon: "folder", places: ["documents", "document", "folder"] },
  { name: "new", icon: "plus", places: ["new"] },
  { name: "batches", icon: "batches", places: ["batches", "batch"] },
  { name: "templates", icon: "template", places: ["templates", "template"] },
  { name: "connections", icon: "link", places: ["connections"] },
  { name: "system", icon: "pulse", places: ["system"], scope: "admin" },
];

/** Return the title of a place. */
export function titleOf(place) {
  const entry = ENTRIES.find(({ places }) => places.includes(place));
  return entry ? t[entry.name] : texts.lost.title;
}

export function Navigation({ place }) {
  const seen = ENTRIES.filter(({ scope }) => !scope || session.value.scopes.includes(scope));
  const entry = (one) => html`<${Entry} key=${one.name} one=${one} here=${one.places.includes(place)} />`;
  const more = seen.slice(IN_BAR);
  return html`<nav aria-label=${t.label}>${seen.slice(0, IN_BAR).map(entry)}
    <${More} here=${more.some(({ places }) => places.includes(place))} place=${place}>${more.map(entry)}<//></nav>`;
}

function Entry({ one, here }) {
  return html`<a href=${`#/${one.name}`} aria-current=${here ? "page" : undefined}><${Icon} name=${one.icon} /><span>${t[one.name]}</span></a>`;
}

/** On a wide screen its entries follow the others. On a phone a button shows them; Escape and leaving close them. */
function More({ here, place, children }) {
  const [open, setOpen] = useState(false);
  const box = useRef(null);
  const button = useRef(null);
  useEffect(() => setOpen(false), [place]);
  useEffect(() => {
    if (!open) return undefined;
    const outside = (event) => !box.current.contains(event.target) && setOpen(false);
    document.addEventListener("pointerdown", outside);
    return () => document.removeEventListener("pointerdown", outside);
  }, [open]);
  const left = (event) => event.relatedTarget && !box.current.contains(event.relatedTarget) && setOpen(false);
  const pressed = (event) => {
    if (event.key !== "Escape" || !open) return;
    setOpen(false);
    button.current.focus();
  };
  return html`<div class="more" ref=${box} onFocusOut=${left} onKeyDown=${pressed}>
    <button type="button" ref=${button} class=${here ? "more-button here" : "more-button"} aria-current=${here ? "true" : undefined} aria-expanded=${open} aria-controls="more-places" onClick=${() => setOpen(!open)}>
      <${Icon} name="more" /><span>${t.more}</span></button>
    <div id="more-places" class=${open ? "more-places open" : "more-places"} onClick=${() => setOpen(false)}>${children}</div></div>`;
}
