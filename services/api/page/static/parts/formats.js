/** Numbers, times and sizes as short texts. Pure. */
import { texts } from "../texts.js";

const t = texts.times;
const DATE = new Intl.DateTimeFormat("en-GB", { dateStyle: "medium", timeStyle: "medium" });
const UNITS = ["B", "kB", "MB", "GB", "TB"];

/** Return how long ago a time was, or when it comes; `time` and `now` in milliseconds. */
export function relative(time, now) {
  const seconds = Math.round((now - time) / 1000);
  return seconds >= 0 ? ago(seconds) : ahead(-seconds);
}

function ago(seconds) {
  if (seconds < 5) return t.now;
  if (seconds < 60) return t.seconds(seconds);
  if (seconds < 3600) return t.minutes(Math.floor(seconds / 60));
  if (seconds < 86400) return t.hours(Math.floor(seconds / 3600));
  return t.days(Math.floor(seconds / 86400));
}

function ahead(seconds) {
  if (seconds < 2) return t.soon;
  if (seconds < 60) return t.inSeconds(seconds);
  if (seconds < 3600) return t.inMinutes(Math.ceil(seconds / 60));
  if (seconds < 86400) return t.inHours(Math.ceil(seconds / 3600));
  return t.inDays(Math.ceil(seconds / 86400));
}

/** Return how long something will still take, or nothing once its time has passed; `time` and `now` in milliseconds. */
export function left(time, now, words = t.left) {
  const seconds = Math.round((time - now) / 1000);
  return seconds >= 1 ? words(rough(seconds)) : "";
}

/** Return an expected length of time in seconds: from two minutes on without its seconds. */
export function rough(seconds) {
  return duration(1000 * (seconds < 120 ? seconds : 60 * Math.round(seconds / 60)));
}

/** Return a length of time, given in milliseconds, such as `1.4 s` or `3 min 5 s`. */
export function duration(milliseconds) {
  if (milliseconds < 1000) return `${Math.max(0, Math.round(milliseconds))} ms`;
  const seconds = milliseconds / 1000;
  if (seconds < 9.95) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return joined(Math.floor(whole / 60), "min", whole % 60, "s");
  return joined(Math.floor(whole / 3600), "h", Math.floor((whole % 3600) / 60), "min");
}

function joined(large, largeUnit, small, smallUnit) {
  return small ? `${large} ${largeUnit} ${small} ${smallUnit}` : `${large} ${largeUnit}`;
}

/** Return a length of time between two times that are known to the second. */
export const coarse = (milliseconds) => (milliseconds < 1000 ? t.short : duration(milliseconds));

/** Return a size in bytes as a text, such as `1.4 MB`. */
export function size(bytes) {
  let value = bytes;
  let unit = 0;
  while (value >= 1000 && unit < UNITS.length - 1) {
    value /= 1000;
    unit += 1;
  }
  return `${unit === 0 || value >= 100 ? Math.round(value) : value.toFixed(1)} ${UNITS[unit]}`;
}

export const number = (value) => value.toLocaleString("en-GB");

/** Return a moment as date and time. */
export const moment = (time) => DATE.format(new Date(time));
