/** Light or dark: as the system has it, or as chosen. The choice is the only thing that this page stores. */
import { effect, signal } from "@preact/signals-core";

const KEY = "piperoll-theme";
export const CHOICES = ["system", "light", "dark"];
export const theme = signal(stored());

effect(() => {
  const chosen = theme.value;
  if (chosen === "system") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = chosen;
  try {
    localStorage.setItem(KEY, chosen);
  } catch {
    // a browser that stores nothing still shows the chosen theme
  }
});

/** Choose the next theme. */
export function nextTheme() {
  theme.value = CHOICES[(CHOICES.indexOf(theme.value) + 1) % CHOICES.length];
}

function stored() {
  try {
    const found = localStorage.getItem(KEY);
    return CHOICES.includes(found) ? found : "system";
  } catch {
    return "system";
  }
}
