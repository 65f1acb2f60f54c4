/** Work that a button starts. */
import { useState } from "preact/hooks";
import { toastError } from "../state/toasts.js";

/** Return `[busy, doing]`: `doing(work)` is a listener that runs the work, and shows what went wrong with it. */
export function useWork() {
  const [busy, setBusy] = useState(false);
  const doing = (work) => async () => {
    setBusy(true);
    try {
      await work();
    } catch (error) {
      toastError(error);
    } finally {
      setBusy(false);
    }
  };
  return [busy, doing];
}
