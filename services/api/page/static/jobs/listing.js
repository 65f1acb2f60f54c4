/**
 * The jobs of one list: merged from pages and from single changes. Pure.
 *
 * The order is that of the pages: the API orders by a finer time than it shows, so it cannot be computed here.
 */
import { isListed, passes } from "../state/shapes.js";

export const MOST_AT_ONCE = 1000; // jobs in one answer of the API

/** The jobs that pass the filters of status and type and that a search by `text` finds, as far as they were read. */
export class Listing {
  constructor(filters) {
    this.filters = filters;
    this.jobs = new Map();
    this.order = [];
    this.cursor = null; // the last job of the last page, which the next page follows
    this.complete = false; // every job of the list was read
    this.revision = 0; // counts the changes of the order
  }

  /** Merge the page that follows what was read before; `size` is how many were asked for. */
  append(page, size) {
    for (const job of page.filter(isListed)) {
      if (!this.jobs.has(job.job_id)) this.order.push(job.job_id);
      this.jobs.set(job.job_id, job);
    }
    if (page.length) this.cursor = page[page.length - 1].job_id;
    this.complete = page.length < size;
    this.revision += 1;
  }

  /** Merge the newest jobs, of which some may be known. Without a known one there is a gap: the list begins again. */
  refresh(page, size) {
    const all = page.length < size;
    const overlaps = page.some((job) => this.jobs.has(job.job_id));
    if (all || !overlaps) {
      this.jobs.clear();
      this.order = [];
      return this.append(page, size);
    }
    const listed = page.filter(isListed);
    const newest = new Set(listed.map((job) => job.job_id));
    for (const job of listed) this.jobs.set(job.job_id, job);
    this.order = [...newest, ...this.order.filter((id) => !newest.has(id))];
    this.revision += 1;
  }

  /** Take a change; returns whether the newest jobs should be read, because the stream does not have all of it. */
  change(job) {
    const known = this.jobs.get(job.job_id);
    if (job.deleted || !isListed(job) || !passes(job, this.filters)) {
      if (known) this.remove(job.job_id);
      return false;
    }
    if (!known && this.filters.text) return true; // the server knows the job's words
    if (!known) return this.complete || !this.order.length || job.created_at >= this.oldest().created_at;
    this.jobs.set(job.job_id, { ...known, ...job, job_name: known.job_name, error: errorOf(known, job) });
    return job.status === "failed" && known.status !== "failed";
  }

  /** Return how many of the newest jobs must be read to find a job among them: a page, or as many as the API gives. */
  reaches(job, page) {
    const last = this.jobs.get(this.order[page - 1]);
    return last && job.created_at < last.created_at ? MOST_AT_ONCE : page;
  }

  oldest() {
    return this.jobs.get(this.order[this.order.length - 1]);
  }

  remove(id) {
    this.jobs.delete(id);
    this.order = this.order.filter((one) => one !== id);
    this.revision += 1;
  }
}

/** Keep the details of an error that the list had while its code is the same. */
function errorOf(known, job) {
  return known.error && job.error && known.error.code === job.error.code ? known.error : job.error;
}
