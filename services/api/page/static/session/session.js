/** The session of this browser: a cookie that scripts cannot read. A key is sent once and never kept. */
import { signal } from "@preact/signals-core";
import { call, onRefused } from "../state/api.js";
import { parseRoute } from "../state/places.js";
import { replace } from "../state/route.js";
import { follow, stop } from "../state/stream.js";

/** `{owner, scopes, ends_at}`; null when signed out; undefined while it is not known. */
export const session = signal(undefined);
/** Why the sign-in form is shown: `ended`, `link`, `out` or empty. */
export const reason = signal("");

onRefused(() => {
  if (session.value) reason.value = "ended";
  session.value = null;
  stop();
});

/** Find out who is signed in: by the link of the address, or by the cookie. */
export async function begin() {
  const place = parseRoute(location.hash);
  if (place.name === "sign-in") {
    replace("#/jobs"); // the link works once: it must not stay in the address or the history
    await byLink(place.nonce);
    return;
  }
  try {
    entered(await call("GET", "/api/session"));
  } catch (error) {
    if (error.status === 401) session.value = null;
    else throw error;
  }
}

/** Sign in with an API key. Raises ApiError. */
export async function signIn(key) {
  entered(await call("POST", "/api/session", { body: { key } }));
}

/** End the session here and on the server. */
export async function signOut() {
  stop();
  await call("DELETE", "/api/session");
  reason.value = "out";
  session.value = null;
}

async function byLink(nonce) {
  try {
    entered(await call("POST", "/api/session", { body: { nonce } }));
  } catch (error) {
    if (error.status === 0) throw error;
    session.value = await call("GET", "/api/session").catch(() => null);
    if (session.value) entered(session.value);
    else reason.value = "link";
  }
}

function entered(found) {
  reason.value = "";
  session.value = found;
  follow();
}
