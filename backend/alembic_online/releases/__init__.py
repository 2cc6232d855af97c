"""Which releases use the database at this moment, and which of its revisions each of them can serve."""
