"""One file a store, each the same three things: ingest, build an index, search. Each runs in a process of its own."""
