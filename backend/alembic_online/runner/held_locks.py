"""The strong locks that the open transaction holds, as far as we took them; a savepoint's go with it."""

from collections.abc import Iterable

from alembic_online.postgres.locks import LockMode
from alembic_online.postgres.locks.reader import statements

_OF_SQLALCHEMY = "sa_savepoint_"  # `begin_nested` goes back to its own once, and never names it again


class HeldLocks:
    """Relations with the mode that each is locked in."""

    def __init__(self) -> None:
        self._modes: dict[str, LockMode] = {}
        self.together = False
        """What was done in this transaction must be seen at once, or not at all."""
        self._savepoints: list[tuple[str, dict[str, LockMode], bool]] = []

    def __bool__(self) -> bool:
        return bool(self._modes)

    def __setitem__(self, relation: str, mode: LockMode) -> None:
        self._modes[relation] = mode

    @property
    def may_be_undone(self) -> bool:
        """Whether there is a savepoint to go back to."""
        return bool(self._savepoints)

    @property
    def relations(self) -> set[str]:
        """What is locked."""
        return set(self._modes)

    def missing(self, wanted: Iterable[tuple[str, LockMode]]) -> list[tuple[str, LockMode]]:
        """Those that are yet to be taken."""
        return [(name, mode) for name, mode in wanted if self._modes.get(name, LockMode.ACCESS_SHARE) < mode]

    def forget(self) -> None:
        """The transaction is over."""
        self.together = False
        self._modes.clear()
        self._savepoints.clear()

    def follow(self, statement: str) -> bool:
        """Keep up with SAVEPOINT, RELEASE and ROLLBACK TO; says whether something was rolled back."""
        for reader in statements(statement):
            match reader.accept_any("SAVEPOINT", "RELEASE", "ROLLBACK"):
                case "SAVEPOINT":
                    self._savepoints.append((reader.name(), dict(self._modes), self.together))
                case "RELEASE":
                    reader.accept("SAVEPOINT")
                    self._leave(reader.name())
                case "ROLLBACK" if (reader.accept_any("WORK", "TRANSACTION"), reader.accept("TO"))[1]:
                    reader.accept("SAVEPOINT")
                    self._modes, self.together = self._leave(name := reader.name())
                    if not name.startswith(_OF_SQLALCHEMY):
                        self._savepoints.append((name, dict(self._modes), self.together))
                    return True
        return False

    def _leave(self, name: str) -> tuple[dict[str, LockMode], bool]:
        """Forget the savepoint and those within it; what was held when it was made, and whether `together`."""
        while self._savepoints:
            found, modes, together = self._savepoints.pop()
            if found == name:
                return modes, together
        return {}, False
