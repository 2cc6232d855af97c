"""The strong locks that the open transaction holds, as far as we took them; a savepoint's go with it."""

from collections.abc import Iterable

from alembic_online.postgres.locks import LockMode
from alembic_online.postgres.locks.reader import statements


class HeldLocks:
    """Relations with the mode that each is locked in."""

    def __init__(self) -> None:
        self._modes: dict[str, LockMode] = {}
        self._savepoints: list[tuple[str, dict[str, LockMode]]] = []

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
        self._modes.clear()
        self._savepoints.clear()

    def follow(self, statement: str) -> bool:
        """Keep up with SAVEPOINT, RELEASE and ROLLBACK TO; says whether something was rolled back."""
        for reader in statements(statement):
            match reader.accept_any("SAVEPOINT", "RELEASE", "ROLLBACK"):
                case "SAVEPOINT":
                    self._savepoints.append((reader.name(), dict(self._modes)))
                case "RELEASE":
                    reader.accept("SAVEPOINT")
                    self._leave(reader.name())
                case "ROLLBACK" if (reader.accept_any("WORK", "TRANSACTION"), reader.accept("TO"))[1]:
                    reader.accept("SAVEPOINT")
                    self._modes = self._leave(name := reader.name())
                    self._savepoints.append((name, dict(self._modes)))
                    return True
        return False

    def _leave(self, name: str) -> dict[str, LockMode]:
        """Forget the savepoint and those within it; what was held when it was made."""
        while self._savepoints:
            found, modes = self._savepoints.pop()
            if found == name:
                return modes
        return {}
