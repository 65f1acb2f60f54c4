/** Icons as SVG of one stroke width; decoration only, so hidden from screen readers. */
import { html } from "./html.js";

const PATHS = {
  jobs: "M4 6h16M4 12h16M4 18h10",
  batches: "M12 3l9 5-9 5-9-5zM3 12l9 5 9-5M3 16l9 5 9-5",
  plus: "M12 5v14M5 12h14",
  search: "M11 4a7 7 0 1 0 0 14 7 7 0 0 0 0-14zM20 20l-4-4",
  back: "M15 5l-7 7 7 7",
  close: "M6 6l12 12M18 6L6 18",
  copy: "M9 9h10v11H9zM5 15V4h10",
  book: "M5 4h11a3 3 0 0 1 3 3v13H8a3 3 0 0 1-3-3zM5 17a3 3 0 0 1 3-3h11",
  out: "M14 4h5v16h-5M4 12h11M11 8l4 4-4 4",
  keyboard: "M3 7h18v10H3zM7 11h.01M11 11h.01M15 11h.01M8 14h8",
  system: "M4 5h16v11H4zM9 20h6M12 16v4",
  light: "M12 8a4 4 0 1 0 0 8 4 4 0 0 0 0-8zM12 2v2M12 20v2M2 12h2M20 12h2M5 5l1.5 1.5M17.5 17.5L19 19M5 19l1.5-1.5M17.5 6.5L19 5",
  dark: "M20 14.5A8 8 0 1 1 9.5 4a6.5 6.5 0 0 0 10.5 10.5z",
  upload: "M12 16V5M7 10l5-5 5 5M5 19h14",
  download: "M12 5v11M7 11l5 5 5-5M5 20h14",
  again: "M20 12a8 8 0 1 1-2.5-5.8M20 3v4h-4",
  trash: "M5 7h14M10 7V4h4v3M7 7l1 13h8l1-13",
  stop: "M7 7h10v10H7z",
  folder: "M3 6h6l2 2h10v11H3z",
  template: "M5 4h14v16H5zM8 8h8M8 12h8M8 16h4",
  more: "M4 6h16M4 12h16M4 18h16",
  file: "M7 3h7l4 4v14H7zM14 3v4h4",
  link: "M10 14a4 4 0 0 0 6 0l3-3a4 4 0 0 0-6-6l-1 1M14 10a4 4 0 0 0-6 0l-3 3a4 4 0 0 0 6 6l1-1",
  warning: "M12 4l9 16H3zM12 10v4M12 17h.01",
  pause: "M9 6v12M15 6v12",
  play: "M8 5l11 7-11 7z",
  check: "M5 13l4 4L19 7",
  send: "M4 12l16-8-6 16-3-7z",
  pulse: "M3 12h4l3-8 4 16 3-8h4",
  chevron: "M9 6l6 6-6 6",
};

/** An icon of `size` pixels. */
export function Icon({ name, size = 18 }) {
  return html`<svg class="icon" width=${size} height=${size} viewBox="0 0 24 24" aria-hidden="true" focusable="false">
    <path d=${PATHS[name]} />
  </svg>`;
}

/** The mark of the product: a roll that unwinds into a line. */
export function Mark() {
  return html`<svg class="mark" width="26" height="26" viewBox="0 0 26 26" aria-hidden="true" focusable="false">
    <rect class="mark-ground" x="0" y="0" width="26" height="26" rx="7" />
    <path class="mark-line" d="M20 19.5H11.2a5.7 5.7 0 1 1 5.7-5.7 3.2 3.2 0 1 1-3.2-3.2" />
  </svg>`;
}
