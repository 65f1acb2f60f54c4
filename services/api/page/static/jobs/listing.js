/** The jobs of one list: merged from pages and from single changes, in the order of the API. Pure. */
import { byAge, matches, passes } from "../state/shapes.js";

const MOST = 1000; // jobs in a page of the API
const FURTHER_PAGES = 5;

/**
 * Read from the newest job on, up to one that a listing has; `read(limit, after)` returns a page. Returns `{jobs, meets}`:
 * without `meets` too many jobs are new, and there is a gap before those that the listing has.
 */
export async function newestOf(listing, read, size) {
  let page = await read(size);
  const jobs = [...page];
  const meets = (limit) => !listing.order.length || page.length < limit || page.some((job) => listing.jobs.has(job.job_id));
  let met = meets(size);
  for (let further = 0; !met && further < FURTHER_PAGES; further += 1) {
    page = await read(MOST, jobs[jobs.length - 1].job_id);
    jobs.push(...page);
    met = meets(MOST);
  }
  return { jobs, meets: met };
}

/** Read and append the next page, and those after it as long as all of their jobs are known. */
export async function readOn(listing, read, size) {
  const known = listing.order.length;
  do {
    const last = listing.last();
    listing.append(await read(size, last && last.job_id), size);
  } while (!listing.complete && listing.order.length === known);
}

/** The jobs that pass the filters of status and type, as far as they were read. */
export class Listing {
  constructor(filters) {
    this.filters = filters;
    this.jobs = new Map();
    this.order = [];
    this.complete = false; // every job of the list was read
    this.revision = 0; // counts the changes of the order
    this.reached = undefined; // the last job of the last page
  }

  /** Merge a page that follows what was read before; `size` is how many were asked for. */
  append(page, size) {
    for (const job of page) this.put(job);
    this.reached = page[page.length - 1] ?? this.reached;
    this.complete = page.length < size;
  }

  /** Merge the newest jobs, of which some may be known. Those that the API no longer lists are left as they are. */
  refresh(page, size) {
    if (!this.order.length) return this.append(page, size);
    for (const job of page) this.put(job);
  }

  /** Take a change; returns whether the job is unknown here and should be read. */
  change(job) {
    if (job.deleted) return this.remove(job.job_id);
    const known = this.jobs.get(job.job_id);
    if (!passes(job, this.filters)) return this.remove(job.job_id);
    if (!known) return this.complete || !this.order.length || byAge(job, this.last()) < 0;
    this.put({ ...known, ...job, job_name: known.job_name, error: errorOf(known, job) });
    return job.status === "failed" && known.status !== "failed"; // the stream has no details of an error
  }

  /** Remove a job; returns false. */
  remove(id) {
    if (!this.jobs.delete(id)) return false;
    this.order.splice(this.order.indexOf(id), 1);
    this.revision += 1;
    return false;
  }

  /** Add or replace a job. */
  put(job) {
    if (!this.jobs.has(job.job_id)) {
      this.jobs.set(job.job_id, job);
      this.order.splice(this.placeOf(job), 0, job.job_id);
      this.revision += 1;
    } else this.jobs.set(job.job_id, job);
  }

  /**
   * The last job that was read in the order of the API; undefined before the first page. It may have left the list, and
   * within a second it need not be the last one of `order`: the API orders by shorter times than those that it shows.
   */
  last() {
    return this.reached;
  }

  /** The ids of the jobs whose names have the words of a text. */
  found(text) {
    return text ? this.order.filter((id) => matches(this.jobs.get(id), text)) : this.order;
  }

  placeOf(job) {
    let low = 0;
    let high = this.order.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (byAge(this.jobs.get(this.order[middle]), job) < 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

/** Keep the details of an error that the list had while its code is the same. */
function errorOf(known, job) {
  return known.error && job.error && known.error.code === job.error.code ? known.error : job.error;
}
