/** The state of an API key at a time. Pure. */

/** Return `{state, at}`: `active`, `ending` for one with an end to come, `ended`; `at` in milliseconds, or null. */
export function stateOf(key, now) {
  const ends = [key.revoked_at, key.expires_at].filter(Boolean).map((time) => Date.parse(time));
  if (!ends.length) return { state: "active", at: null };
  const at = Math.min(...ends);
  return { state: at <= now ? "ended" : "ending", at };
}

/** Return the end of a key that is made now and lasts so many days; undefined for none. */
export function endOf(days, now) {
  return days > 0 ? new Date(now + days * 86_400_000).toISOString().replace(/\.\d+Z$/, "Z") : undefined;
}
