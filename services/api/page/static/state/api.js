/** Requests to the API. The cookie of the session goes along; a 401 ends the session. */
import { ApiError, errorOf } from "./errors.js";
import { signal } from "@preact/signals-core";

/** Whether the last request got an answer. */
export const reachable = signal(true);

const lost = new Set();

/** Call `listener` when the API refuses the session. */
export function onRefused(listener) {
  lost.add(listener);
}

/** Send a request and return the `data` of its answer; null for an answer without a body. Raises ApiError. */
export async function call(method, path, { body, headers = {}, signal: abort } = {}) {
  const sent = { method, headers: { Accept: "application/json", ...headers }, signal: abort, credentials: "same-origin" };
  if (body !== undefined) {
    sent.body = JSON.stringify(body);
    sent.headers["Content-Type"] = "application/json";
  }
  let answer;
  try {
    answer = await fetch(path, sent);
  } catch (problem) {
    if (problem.name === "AbortError") throw problem;
    reachable.value = false;
    throw new ApiError(0, "UNREACHABLE", "");
  }
  reachable.value = answer.status !== 502 && answer.status !== 504;
  return unwrapped(answer.status, await answer.text(), answer.headers.get("Retry-After"));
}

/** Return the `data` of an answer. Raises ApiError. */
export function unwrapped(status, text, retryAfter) {
  const body = parsed(text);
  if (status >= 200 && status < 300) return body && "data" in body ? body.data : body;
  const error = errorOf(status, body, retryAfter);
  if (status === 401) for (const listener of lost) listener();
  throw error;
}

function parsed(text) {
  if (!text) return null;
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

/** Return a random key for `Idempotency-Key`; it works without a secure context too. */
export function drawKey() {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** Return a path with the query parameters that have a value. */
export function withQuery(path, query) {
  const given = Object.entries(query).filter(([, value]) => value !== undefined && value !== null && value !== "");
  return given.length ? `${path}?${new URLSearchParams(given)}` : path;
}
