/** The place in the page, as the fragment of the address: `#/jobs`, `#/jobs/{id}`, `#/new`. */
import { signal } from "@preact/signals-core";
import { parseRoute } from "./places.js";

export const route = signal(parseRoute(location.hash));

/** Go to a place, such as `#/new`. */
export function go(hash) {
  if (location.hash === hash) return;
  location.hash = hash;
}

/** Replace the place without a new entry of the history. */
export function replace(hash) {
  history.replaceState(null, "", `${location.pathname}${location.search}${hash}`);
  route.value = parseRoute(hash);
}

addEventListener("hashchange", () => {
  route.value = parseRoute(location.hash);
});
