"""The verbs that Alembic lacks, a file each: `python -m alembic_online VERB`."""
