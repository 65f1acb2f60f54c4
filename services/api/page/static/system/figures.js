/** The figures of the tiles and of the table of services, from the state of the installation. Pure. */
import { duration, number } from "../parts/formats.js";
import { texts } from "../texts.js";
import { errorRate } from "./plots.js";

const t = texts.system;
const MANY_FAIL = 0.1;
const MOST_RECEIVERS = 100; // in an answer of the API
const known = (value) => (value === null || value === undefined ? t.unknown : number(value));

/** Return `[{name, value, hint, level}]`; the level is `bad`, `warn` or empty. A value that is not known is a dash. */
export function tilesOf(found, now) {
  const { queue, receivers, dead_letters: letters, plots, verify } = found;
  const workers = found.services?.find((one) => one.service === "worker")?.processes;
  const slots = workers?.reduce((sum, one) => sum + (one.slots || 0), 0);
  const waits = queue?.oldest ? now - Date.parse(queue.oldest.created_at) : 0;
  const rate = plots && errorRate(plots.hour.points);
  return [
    { name: "pending", value: queue && number(queue.pending), hint: queue && (queue.oldest ? t.tiles.oldest(duration(waits)) : t.tiles.noneWaits) },
    { name: "processing", value: queue && number(queue.processing), hint: slots === undefined ? "" : t.tiles.slots(slots), level: workers?.length === 0 ? "bad" : "" },
    { name: "errors", value: plots && (rate === null ? "–" : percent(rate)), hint: t.tiles.lastHour, level: rate > MANY_FAIL ? "warn" : "" },
    { name: "receivers", value: receivers && countOf(receivers), hint: t.tiles.retried, level: receivers?.length ? "warn" : "" },
    { name: "letters", value: letters && number(letters.count), hint: letters?.stopped ? t.tiles.stopped(letters.stopped) : t.tiles.parked, level: letters?.stopped ? "bad" : letters?.count ? "warn" : "" },
    { name: "verify", value: "verify" in found.unknown ? null : verify ? t.verify.verdicts[verify.verdict] || verify.verdict : t.verify.never, hint: t.tiles.lastVerify, level: verify?.verdict === "violated" ? "bad" : "" },
  ].map((one) => ({ level: "", ...one, value: one.value ?? "–" }));
}

const countOf = (receivers) => (receivers.length < MOST_RECEIVERS ? number(receivers.length) : `${number(MOST_RECEIVERS)}+`);
const percent = (share) => `${(share * 100).toFixed(share > 0 && share < 0.1 ? 1 : 0)} %`;

/** Return a row for each process, and one for a service without any: `[{service, process, partitions, slots, lag}]`. */
export function processRows(services) {
  return services.flatMap((one) => {
    const lag = one.service === "api" ? "" : known(one.lag);
    const state = one.processes === null ? "unknown" : one.processes.length ? "" : "none";
    if (state) return [{ service: one.service, process: null, state, partitions: "", slots: "", lag }];
    return one.processes.map((each) => ({
      service: one.service,
      process: each.instance,
      state,
      partitions: each.partitions ?? "",
      slots: each.slots ? t.services.taken(known(each.running), each.slots) : "",
      lag,
    }));
  });
}
