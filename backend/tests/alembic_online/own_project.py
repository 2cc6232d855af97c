"""A project with an env.py of its own, as plain Alembic has it until one line is changed."""

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import NullPool, create_engine, text

from tests import forked_programs
from tests.forked_programs import Program

_BLOCK = "with context.begin_transaction():"
_IMPORT = "from alembic import context\n"


def adopted(env: str) -> str:
    """An env.py with the one line changed, and the import that it needs."""
    changed = env.replace(_BLOCK, "with online(context):")
    return changed.replace(_IMPORT, f"{_IMPORT}from alembic_online import online\n", 1)


@dataclass
class OwnProject:
    """It, in a folder of its own, on a database of its own, which its env.py finds in `DATABASE_URL`."""

    folder: Path
    url: str
    always: tuple[str, ...] = ()
    """Words that each command of Alembic's begins with."""
    _started: int = 0

    def adopt(self) -> None:
        """The one line."""
        path = self.folder / "env.py"
        path.write_text(adopted(path.read_text()))

    def __call__(self, *command: str, code: int = 0, **variables: str) -> str:
        """What `python -m` of it says, which must end with this code."""
        running = self.start(*command, **variables)
        found, said = running.exit_code(), running.output
        running.end()
        assert found == code, said
        return said

    def start(self, *command: str, **variables: str) -> Program:
        """The same, without waiting for its end."""
        self._started += 1
        return forked_programs.start(
            command[0],
            command[1:],
            folder=self.folder,
            environment=self._environment() | variables,
            log=self.folder / f"{self._started}.log",
        )

    def cold(self, *command: str, module: str = "alembic.__main__") -> str:
        """What `alembic` says in a new interpreter, which has imported nothing yet."""
        return subprocess.run(
            [sys.executable, "-m", module, *self.always, *command],
            cwd=self.folder,
            env=self._environment() | {"PYTHONPATH": os.pathsep.join(sys.path)},
            check=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        ).stdout

    def _environment(self) -> dict[str, str]:
        given = {"DATABASE_URL": self.url, "MIGRATION_SMALL_TABLE_BYTES": "0", "MIGRATION_ALLOW_DATA_LOSS": "true"}
        return os.environ | given

    def alembic(self, *command: str, code: int = 0) -> str:
        """The stock command."""
        return self("alembic.__main__", *self.always, *command, code=code)

    def execute(self, statement: str) -> None:
        """Somebody does it by hand."""
        engine = create_engine(self.url.replace("postgresql:", "postgresql+psycopg:"), poolclass=NullPool)
        with engine.begin() as connection:
            connection.execute(text(statement))

    def ask(self, query: str) -> list[tuple[object, ...]]:
        """Rows of the database."""
        engine = create_engine(self.url.replace("postgresql:", "postgresql+psycopg:"), poolclass=NullPool)
        with engine.connect() as connection:
            return [tuple(row) for row in connection.execute(text(query))]
