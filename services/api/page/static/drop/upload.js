/** One upload with its progress. */
import { unwrapped } from "../state/api.js";
import { ApiError } from "../state/errors.js";

/** Upload a file and return `{filename, …}`; `onProgress` gets percents. Raises ApiError. */
export function upload(file, onProgress, abort) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open("POST", "/api/files");
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
    form.append("file", file, file.name);
    request.send(form);
  });
}
