"""The server process: queues requests and sends them to workers; imports `http` and the top-level modules."""
