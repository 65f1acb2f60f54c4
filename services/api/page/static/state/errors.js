/** Errors of the API as typed values, and the sentences that the page shows for them. Pure. */
import { texts } from "../texts.js";

/** A request that was not answered with success. `status` is 0 when no answer came at all. */
export class ApiError extends Error {
  constructor(status, code, message, details = {}, retryAfter = null) {
    super(message);
    this.status = status;
    this.code = code;
    this.details = details;
    this.retryAfter = retryAfter;
  }
}

/** Build the error of an answer from its status and its body, which may be anything. */
export function errorOf(status, body, retryAfter = null) {
  const found = body && typeof body === "object" ? body.error : null;
  const code = found && typeof found.code === "string" ? found.code : `HTTP_${status}`;
  const message = found && typeof found.message === "string" ? found.message : "";
  return new ApiError(status, code, message, (found && found.details) || {}, retryAfter);
}

/** Return `{sentence, remedy}` for an error of a request. */
export function explain(error) {
  if (!(error instanceof ApiError)) return { sentence: texts.errors.unexpected, remedy: texts.errors.reload };
  const known = texts.errors.requests[error.code];
  const sentence = sentenceOf(error, known);
  const wait = error.retryAfter ? texts.errors.retryIn(error.retryAfter) : "";
  return { sentence, remedy: (known && known.remedy) || wait || texts.errors.requests.fallback.remedy };
}

/** Return `{sentence, remedy}` for a job's `error`: the server's sentence, and what to do about its code. */
export function explainJob(error) {
  const remedy = texts.remedies[error.code] || texts.remedies.fallback;
  return { sentence: error.message || texts.errors.requests.fallback.sentence, remedy };
}

function sentenceOf(error, known) {
  if (known && known.sentence) return known.sentence;
  const fields = error.details && error.details.fields;
  if (Array.isArray(fields) && fields.length) {
    return fields.map((one) => texts.errors.field(one.field, one.message)).join(" ");
  }
  return error.message ? sentenceCase(error.message) : texts.errors.requests.fallback.sentence;
}

/** Return a message as a sentence: with a capital letter and a full stop. */
export function sentenceCase(message) {
  const text = message.trim();
  const begun = text.charAt(0).toUpperCase() + text.slice(1);
  return /[.!?]$/.test(begun) ? begun : `${begun}.`;
}
