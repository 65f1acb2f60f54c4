/** The markup of components: htm over Preact. Values are always text, never markup. */
import { h } from "preact";
import htm from "htm";
import "@preact/signals";

export const html = htm.bind(h);
