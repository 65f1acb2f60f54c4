/** Which rows of a long list are in sight. Pure. */

export const BEYOND = 8; // rows above and below what is seen, so that a quick scroll shows no gap

/** Return `{first, last}`: the rows to have in the document, `last` excluded. */
export function inSight(top, height, rowHeight, count) {
  const first = Math.max(0, Math.floor(top / rowHeight) - BEYOND);
  const last = Math.min(count, Math.ceil((top + height) / rowHeight) + BEYOND);
  return { first: Math.min(first, last), last };
}
