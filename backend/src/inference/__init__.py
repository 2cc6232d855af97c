"""Services that speak OpenAI's HTTP API: one makes vectors of texts, one answers questions. Both may be missing."""
