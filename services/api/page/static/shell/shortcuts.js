/** Keyboard shortcuts. A key that is typed into a field, or with Ctrl, Alt or Meta, is not one. */
import { signal } from "@preact/signals-core";
import { nextTheme } from "../state/theme.js";
import { go, listHash } from "../state/route.js";
import { texts } from "../texts.js";
import { Dialog } from "../parts/dialog.js";
import { html } from "../parts/html.js";

const help = signal(false);
let leader = "";

/** Show the list of shortcuts. */
export function showShortcuts() {
  help.value = true;
}

/** The list of shortcuts as a dialog. */
export function Shortcuts() {
  if (!help.value) return null;
  const rows = texts.shortcuts.rows.map(([keys, text]) => html`<div><dt><kbd>${keys}</kbd></dt><dd>${text}</dd></div>`);
  return html`<${Dialog} title=${texts.shortcuts.title} onClose=${() => (help.value = false)}><dl class="shortcuts">${rows}</dl><//>`;
}

/** React to keys; returns the function that ends it. */
export function listenToKeys() {
  document.addEventListener("keydown", pressed);
  return () => document.removeEventListener("keydown", pressed);
}

function pressed(event) {
  if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
  if (typing(event.target) || document.querySelector("dialog[open]")) return;
  const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
  const action = leader === "g" && key === "j" ? () => go(listHash.value) : ACTIONS[key];
  leader = key === "g" ? "g" : "";
  if (!action) return;
  event.preventDefault();
  action();
}

const ACTIONS = {
  "?": showShortcuts,
  "/": search,
  n: () => go("#/new"),
  u: back,
  t: nextTheme,
  j: () => move(1),
  k: () => move(-1),
};

function search() {
  const field = document.getElementById("search");
  if (field) field.focus();
  else {
    go("#/jobs");
    requestAnimationFrame(() => setTimeout(() => document.getElementById("search")?.focus(), 50));
  }
}

/** Go where the link at the head of the content leads; without one, to the list of jobs. */
function back() {
  const link = document.querySelector("#content a.back");
  go(link ? link.getAttribute("href") : listHash.value);
}

function move(by) {
  const rows = [...document.querySelectorAll(".row[data-job]")];
  const at = rows.indexOf(document.activeElement);
  const next = rows[at < 0 ? firstInSight(rows) : at + by];
  if (next) next.focus();
}

function firstInSight(rows) {
  return Math.max(0, rows.findIndex((row) => row.getBoundingClientRect().top >= 0));
}

function typing(target) {
  return target instanceof HTMLElement && (target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName));
}
