"""The schema of the head revision as two files beside the revisions, so that a review sees what a revision does.

`schema.sql` makes it; `schema.md` explains it: tables, columns, what comments say, who refers to whom. Both are made
from the catalogue of a scratch database to which the chain was applied, and are the same on every server and version.
"""

from alembic_online.review.snapshot.files import snapshot, stale, write

__all__ = ["snapshot", "stale", "write"]
