<%!
    def without_remarks(body):
        return "\n".join(line for line in body.splitlines() if "###" not in line).strip() or "pass"
%>\
"""${message}

Revision ID: ${up_revision}
Revises: ${down_revision | comma,n}
Create Date: ${create_date}

"""
# One change a revision, and no schema change together with a change of many rows. downgrade() brings back exactly what
# was there. Nothing of the application is imported: this file must run years from now. More: migrations/README.md
from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op
${imports if imports else ""}
revision: str = ${repr(up_revision)}
down_revision: ${"str | None" if down_revision is None or isinstance(down_revision, str) else "tuple[str, ...]"} = ${repr(down_revision)}
branch_labels: Sequence[str] | None = ${repr(branch_labels)}
depends_on: Sequence[str] | None = ${repr(depends_on)}


def upgrade() -> None:
    ${without_remarks(upgrades if upgrades else "")}


def downgrade() -> None:
    ${without_remarks(downgrades if downgrades else "")}
