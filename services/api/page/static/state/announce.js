/** The one live region for screen readers: the newest message, at most one in three seconds. */
import { signal } from "@preact/signals-core";

const QUIET_MS = 3000;
export const message = signal("");
let last = 0;
let timer = null;

/** Announce a text politely; of texts that come quickly the last one is announced. */
export function announce(text) {
  clearTimeout(timer);
  const wait = Math.max(0, last + QUIET_MS - Date.now());
  timer = setTimeout(() => {
    last = Date.now();
    message.value = text;
  }, wait);
}
