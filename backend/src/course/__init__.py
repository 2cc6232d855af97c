"""The course's content, kept as files: `python -m src.course VERB`. Beside the API, above `src.db`."""
