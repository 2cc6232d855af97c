"""My revisions on top of theirs: which are mine, new names for them, and the proof that both still go up and down."""

from alembic_online.rebase.branch import Branch, find_branch, refuse_if_applied
from alembic_online.rebase.run import Rebased, rebase

__all__ = ["Branch", "Rebased", "find_branch", "rebase", "refuse_if_applied"]
