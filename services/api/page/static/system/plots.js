/** The geometry of small plots: numbers to places in a box of WIDTH by HEIGHT. Pure. */

export const WIDTH = 320;
export const HEIGHT = 112;
const GAP = 0.2; // of the place of a bar
const STEPS = [1, 2, 4, 6, 10]; // their halves are short numbers too

/** Return the end of an axis that holds `value`: 1, 2, 4 or 6 times a power of ten; at least `least`. */
export function axisEnd(value, least = 1) {
  const wanted = Math.max(value, least);
  const power = 10 ** Math.floor(Math.log10(wanted));
  return power * STEPS.find((step) => step * power >= wanted * (1 - 1e-9));
}

/** Return the labelled values of an axis, the largest first. */
export const ticks = (end) => [end, end / 2, 0];

const yOf = (value, end) => HEIGHT * (1 - Math.min(value, end) / end);

/**
 * Return bars stacked on each other: `{name, x, y, width, height}` for each part of each point that is above zero.
 * `names` are the parts from below.
 */
export function stackedBars(points, names, end) {
  const place = WIDTH / Math.max(1, points.length);
  return points.flatMap((point, index) => {
    let below = 0;
    return names.filter((name) => point[name] > 0).map((name) => {
      const y = yOf(below + point[name], end);
      const height = yOf(below, end) - y;
      below += point[name];
      return { name, x: place * (index + GAP / 2), y, width: place * (1 - GAP), height };
    });
  });
}

/** Return the path of a line through the middles of the points' places. It ends before a point without a value. */
export function linePath(values, end) {
  const place = WIDTH / Math.max(1, values.length);
  let pen = "M";
  return values.map((value, index) => {
    if (value === null) {
      pen = "M";
      return "";
    }
    const step = `${pen}${round(place * (index + 0.5))} ${round(yOf(value, end))}`;
    const alone = pen === "M" && (index + 1 === values.length || values[index + 1] === null);
    pen = "L";
    return alone ? `${step}h0.01` : step; // a round cap makes a dot of it
  }).join("");
}

const round = (value) => Math.round(value * 100) / 100;

/** Return the sums of each name over the points. */
export function sums(points, names) {
  return Object.fromEntries(names.map((name) => [name, points.reduce((sum, point) => sum + point[name], 0)]));
}

/** Return the share of failed jobs among those that completed or failed; null if there are none. */
export function errorRate(points) {
  const { completed, failed } = sums(points, ["completed", "failed"]);
  return completed + failed ? failed / (completed + failed) : null;
}
