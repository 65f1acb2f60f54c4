/** One upload with its progress. */
import { unwrapped } from "../state/api.js";
import { ApiError } from "../state/errors.js";

/** Upload a file with the `fields` of a form and return the answer's data; `onProgress` gets percents. Raises ApiError. */
export function upload(path, file, { fields = {}, headers = {}, onProgress, abort }) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open("POST", path);
    for (const [name, value] of Object.entries(headers)) request.setRequestHeader(name, value);
    request.upload.onprogress = (event) => event.lengthComputable && onProgress((event.loaded / event.total) * 100);
    request.onerror = () => reject(new ApiError(0, "UNREACHABLE", ""));
    request.onabort = () => reject(new DOMException("aborted", "AbortError"));
    request.onload = () => {
      try {
        resolve(unwrapped(request.status, request.responseText, request.getResponseHeader("Retry-After")));
      } catch (error) {
        reject(error);
      }
    };
    abort.addEventListener("abort", () => request.abort());
    const form = new FormData();
    for (const [name, value] of Object.entries(fields)) form.append(name, value);
    form.append("file", file, file.name);
    request.send(form);
  });
}
