"""The verbs that Alembic lacks, a file each: `python -m src.safety VERB`."""
