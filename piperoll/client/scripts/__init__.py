"""What the client does, as scripts: one module for each noun of the API. No I/O; see `piperoll.client.wire`."""
