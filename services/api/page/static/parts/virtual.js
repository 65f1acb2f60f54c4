/** A list of which only the rows in sight are in the document; every row has the same height. */
import { useEffect, useRef, useState } from "preact/hooks";
import { html } from "./html.js";
import { BEYOND, inSight } from "./ranges.js";

/**
 * The list scrolls with the window. `row(index)` returns the content of a row, `keyOf(index)` its key; `onEnd` is
 * called when the last rows come into sight.
 */
export function VirtualList({ count, rowHeight, row, keyOf, label, total, onEnd }) {
  const box = useRef(null);
  const [range, setRange] = useState({ first: 0, last: 30 });
  useEffect(() => {
    let frame = 0;
    const measure = () => {
      frame = 0;
      if (!box.current) return; // an effect may run after the list has left the document
      const top = Math.max(0, -box.current.getBoundingClientRect().top);
      const next = inSight(top, innerHeight, rowHeight, count);
      setRange((old) => (old.first === next.first && old.last === next.last ? old : next));
      if (onEnd && next.last >= count - BEYOND) onEnd();
    };
    const later = () => (frame ||= requestAnimationFrame(measure));
    measure();
    addEventListener("scroll", later, { passive: true });
    addEventListener("resize", later, { passive: true });
    return () => {
      cancelAnimationFrame(frame);
      removeEventListener("scroll", later);
      removeEventListener("resize", later);
    };
  }, [count, rowHeight, onEnd]);
  const last = Math.min(range.last, count);
  const rows = [];
  for (let index = Math.min(range.first, last); index < last; index += 1) {
    rows.push(html`<li key=${keyOf(index)} class="row-place" aria-posinset=${index + 1} aria-setsize=${total ?? count}
      style=${{ transform: `translateY(${index * rowHeight}px)`, height: `${rowHeight}px` }}>${row(index)}</li>`);
  }
  return html`<ul class="virtual" ref=${box} aria-label=${label} style=${{ height: `${count * rowHeight}px` }}>${rows}</ul>`;
}
