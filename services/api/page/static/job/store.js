/** One job that is looked at: its state, facts, deliveries and pages, kept up to date by the owner's stream. */
import { signal } from "@preact/signals-core";
import { call } from "../state/api.js";
import { announce } from "../state/announce.js";
import { ApiError } from "../state/errors.js";
import { listen } from "../state/stream.js";
import { ended, jobName, shownStatus } from "../state/shapes.js";
import { texts } from "../texts.js";

const SETTLE_MS = 250;
const EVENTS = 500;
const DELIVERIES_MS = 3000;
const PAGES_MS = 2000;

/** Follow a job; `close` ends it. Each field is a signal. */
export class Followed {
  constructor(id) {
    this.id = id;
    this.job = signal(null);
    this.problem = signal(null);
    this.events = signal([]);
    this.deliveries = signal(null);
    this.pages = signal([]);
    this.pagesOffered = signal(undefined); // whether this server has pages of running jobs
    this.pagesTotal = signal(null);
    this.afterPage = 0;
    this.pagesDone = false;
    this.timers = new Set();
    this.reading = false;
    this.path = `/api/jobs/${encodeURIComponent(id)}`;
    this.stops = [listen("job", (job) => job.job_id === id && this.changed(job)), listen("reset", () => this.read())];
    this.read();
  }

  close() {
    for (const stop of this.stops) stop();
    for (const timer of this.timers) clearTimeout(timer);
    this.closed = true;
  }

  /** Read everything that may have changed. */
  async read() {
    if (this.reading) return this.later(() => this.read(), SETTLE_MS);
    this.reading = true;
    try {
      this.job.value = await call("GET", this.path);
      this.problem.value = null;
      await Promise.all([this.readEvents(), this.readDeliveries(), this.readPages()]);
    } catch (error) {
      if (!this.closed) this.problem.value = error;
    } finally {
      this.reading = false;
    }
  }

  changed(job) {
    const old = this.job.value;
    if (!old) return;
    if (job.deleted) {
      this.problem.value = new ApiError(404, "NOT_FOUND", "");
      return;
    }
    if (old.status !== job.status) announce(`${jobName(old)}: ${texts.status[shownStatus(job)]}`);
    this.job.value = { ...old, ...job, job_name: old.job_name, error: job.error && old.error && old.error.code === job.error.code ? old.error : job.error };
    if (ended(job)) this.read();
    else if (!this.settling) {
      this.settling = true;
      this.later(async () => {
        this.settling = false;
        await Promise.all([this.readEvents(), this.readPages()]).catch(() => {}); // the next change reads them again
      }, SETTLE_MS);
    }
  }

  async readEvents() {
    for (;;) {
      const known = this.events.value;
      const after = known.length ? known[known.length - 1].sequence : 0;
      const { events } = await call("GET", `${this.path}/events?after=${after}&limit=${EVENTS}`);
      const fresh = events.filter((event) => event.sequence > after);
      if (fresh.length) this.events.value = [...known, ...fresh];
      if (events.length < EVENTS) return;
    }
  }

  /** Read the attempts at webhooks, and again while some may follow: they are not in the owner's stream. */
  async readDeliveries() {
    this.deliveries.value = (await call("GET", `${this.path}/deliveries`)).deliveries;
  }

  async watchDeliveries() {
    if (!document.hidden && this.job.value) await this.readDeliveries().catch(() => {}); // read again in a moment
  }

  async readPages() {
    if (this.pagesDone || this.pagesOffered.value === false) return;
    try {
      for (;;) {
        const found = await call("GET", `${this.path}/pages?after=${this.afterPage}`);
        this.pagesOffered.value = true;
        this.pagesTotal.value = found.pages_total ?? this.pagesTotal.value;
        this.merge(found.pages);
        this.pagesDone = found.complete;
        if (!found.pages.length || found.next_after === this.afterPage) break;
        this.afterPage = found.next_after;
      }
    } catch (error) {
      if (error.status !== 404 && error.status !== 405 && error.status !== 400) throw error;
      this.pagesOffered.value = false;
    }
    if (!this.pagesDone && !ended(this.job.value)) this.later(() => this.readPages().catch(() => {}), PAGES_MS);
  }

  merge(fresh) {
    if (!fresh.length) return;
    const known = new Map(this.pages.value.map((page) => [page.page, page]));
    for (const page of fresh) known.set(page.page, page);
    this.pages.value = [...known.values()].sort((one, other) => one.page - other.page);
  }

  later(work, milliseconds) {
    if (this.closed) return;
    const timer = setTimeout(() => {
      this.timers.delete(timer);
      work();
    }, milliseconds);
    this.timers.add(timer);
  }
}

export { DELIVERIES_MS };
