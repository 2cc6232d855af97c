"""The eight table lock modes and what they conflict with."""

from enum import IntEnum


class LockMode(IntEnum):
    """A table lock mode, in PostgreSQL's order: of two locks on one table, a statement's is the greater.

    Source: PostgreSQL 18, section 13.3.1, the same since 8.0.
    """

    ACCESS_SHARE = 1
    ROW_SHARE = 2
    ROW_EXCLUSIVE = 3
    SHARE_UPDATE_EXCLUSIVE = 4
    SHARE = 5
    SHARE_ROW_EXCLUSIVE = 6
    EXCLUSIVE = 7
    ACCESS_EXCLUSIVE = 8

    @classmethod
    def parse(cls, text: str) -> "LockMode":
        """Read `pg_locks`' spelling (AccessExclusiveLock) or SQL's (access exclusive). Raises `ValueError`."""
        for mode in cls:
            if text in (mode.pg_locks, mode.name) or " ".join(text.upper().split()) == str(mode):
                return mode
        raise ValueError(f"{text!r} is no table lock mode")

    def __str__(self) -> str:
        return self.name.replace("_", " ")

    def __format__(self, spec: str) -> str:
        return format(str(self), spec)

    @property
    def pg_locks(self) -> str:
        """The spelling of the view `pg_locks`."""
        return self.name.title().replace("_", "") + "Lock"

    @property
    def conflicts(self) -> frozenset["LockMode"]:
        """The modes that wait while this one is held, and for which this one waits."""
        return frozenset(mode for mode in LockMode if self.conflicts_with(mode))

    def conflicts_with(self, other: "LockMode") -> bool:
        """Whether two transactions cannot hold the two modes on one table at once."""
        return other in _CONFLICTS[self]

    @property
    def blocks(self) -> str:
        """What clients cannot do meanwhile, in words."""
        match self:
            case LockMode.ACCESS_EXCLUSIVE:
                return "reads and writes"
            case LockMode.EXCLUSIVE | LockMode.SHARE_ROW_EXCLUSIVE | LockMode.SHARE:
                return "writes"
            case LockMode.SHARE_UPDATE_EXCLUSIVE:
                return "schema changes"
            case _:
                return "nothing"


_CONFLICTS = {
    LockMode(held): frozenset(LockMode(wanted) for wanted in range(1, 9) if str(wanted) in conflicts)
    for held, conflicts in enumerate(("8", "78", "5678", "45678", "34678", "345678", "2345678", "12345678"), start=1)
}
