"""Facts about PostgreSQL: URLs, the embedded server, errors, the catalogue. No models, no Alembic."""
