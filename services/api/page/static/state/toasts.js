/** Short messages about what just happened. */
import { signal } from "@preact/signals-core";
import { announce } from "./announce.js";
import { explain } from "./errors.js";

const SHOWN_MS = 6000;
export const toasts = signal([]);
let drawn = 0;

/** Show a text; `kind` is `plain` or `error`. An error stays until it is closed. */
export function toast(text, kind = "plain", remedy = "") {
  const id = ++drawn;
  toasts.value = [...toasts.value.slice(-3), { id, text, kind, remedy }];
  announce(remedy ? `${text} ${remedy}` : text);
  if (kind !== "error") setTimeout(() => dismiss(id), SHOWN_MS);
}

/** Show what went wrong with a request, and what to do. */
export function toastError(error) {
  const { sentence, remedy } = explain(error);
  toast(sentence, "error", remedy);
}

export function dismiss(id) {
  toasts.value = toasts.value.filter((one) => one.id !== id);
}
