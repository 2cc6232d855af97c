"""Applying a revision to a live database: what lies between `alembic upgrade` and the statement that is sent.

`migrator` opens the run and ends it, `pipeline` surrounds each revision, `safeguards` each of its statements.
"""
