// Stands in for the web framework that a webhook handler is written for: `app.post`, JSON bodies, status and send.
const http = require("node:http");

const handlers = new Map();
const app = { post: (path, handler) => handlers.set(path, handler) };

function respondTo(response) {
  const chained = {
    status(code) {
      response.statusCode = code;
      return chained;
    },
    send: (text) => response.end(text),
  };
  return chained;
}

async function serve(request, response) {
  const handler = handlers.get(request.url);
  if (request.method !== "POST" || handler === undefined) {
    response.writeHead(404).end();
    return;
  }
  const parts = [];
  for await (const part of request) parts.push(part);
  handler({ body: JSON.parse(Buffer.concat(parts).toString()) }, respondTo(response));
}

function listen() {
  const server = http.createServer(serve);
  server.listen(0, "127.0.0.1", () => console.log(`listening on port ${server.address().port}.`));
}

module.exports = { app, listen };
