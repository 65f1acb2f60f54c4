"""Commands that use the HTTP API, all of them by `piperoll.client`."""
