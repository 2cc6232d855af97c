"""What autogenerate refuses to write."""

from alembic_online.postgres.catalogue import Identity
from alembic_online.postgres.errors import UserError

_REBUILT = "it would have to be rebuilt"


class CannotWrite(UserError):
    """A change for which there are no operations that keep the data, or none that PostgreSQL has at all."""

    def __init__(self, identity: Identity, why: str = _REBUILT) -> None:
        place = f" of {identity.table}" if identity.table else ""
        super().__init__(
            f"Autogenerate cannot write this change: {identity.kind} {identity.name}{place}: {why}.",
            "Write the revision by hand, in steps that keep the data." if why == _REBUILT else "Write it by hand.",
        )
