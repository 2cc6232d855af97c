"""What HTTP has and FastAPI lacks: versions, problems, pages, languages, limits."""
