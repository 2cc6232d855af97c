"""Every private name of Alembic that the toolkit needs, each behind one typed function or class.

Whoever moves to another release of Alembic looks here and nowhere else; `test_alembic_seam.py` says what each name must
do. They are the same from Alembic 1.18.0 to 1.20.1.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

from alembic import context
from alembic.ddl.impl import DefaultImpl
from alembic.runtime.environment import EnvironmentContext
from alembic.runtime.migration import MigrationContext
from alembic.script import Script, ScriptDirectory
from alembic.script.write_hooks import _run_hooks
from sqlalchemy import Computed, Connection, Executable, Identity, Table

Send = Callable[[Executable | str], Any]
"""Sends a statement; what comes back is a result of SQLAlchemy's, or None where a script is written."""

READS_FILE = Script._from_path.__name__
"""The function of Alembic's in whose frame `path` is the revision file that is being read."""


# The command


def environment_at_hand() -> EnvironmentContext | None:
    """The environment of the command that runs, if one runs: `alembic.context` is a proxy of it."""
    return getattr(context, "_proxy", None)


def put_back(environment: EnvironmentContext) -> None:
    """Make it the one that `alembic.context` stands for again, after another command ran within its own."""
    environment._install_proxy()


# The revision files


def version_folders(scripts: ScriptDirectory) -> list[Path]:
    """The folders of the revision files (`version_locations`), as they are written."""
    return [Path(folder) for folder in scripts._version_locations]


def stock_revisions(scripts: ScriptDirectory) -> Iterator[Script]:
    """Every revision of these folders, imported. Raises what the import of a file raises."""
    return scripts._load_revisions()


def files_of_folders(scripts: ScriptDirectory) -> Iterator[Path]:
    """Every file in these folders, once, as Alembic lists them; not all are revisions."""
    there = [folder for folder in version_folders(scripts) if folder.exists()]
    listed = (path.resolve() for folder in there for path in Script._list_py_dir(scripts, folder))
    yield from dict.fromkeys(listed)


def script_of_file(scripts: ScriptDirectory, path: Path) -> Script | None:
    """The revision in this file, imported; None where it is no revision's."""
    return Script._from_path(scripts, path)


def parents_of(script: Script) -> tuple[str, ...]:
    """The ids in `down_revision`; none for the first."""
    return tuple(script._versioned_down_revisions)


def dependencies_of(script: Script) -> tuple[str, ...]:
    """The ids that `depends_on` names, by id or by label."""
    return tuple(script._resolved_dependencies)


def is_known(scripts: ScriptDirectory, name: str) -> bool:
    """Whether the chain has a revision or a label of exactly this name."""
    return name in scripts.revision_map._revision_map


def with_ancestors(scripts: ScriptDirectory, ids: Iterable[str]) -> set[str]:
    """These revisions and all that must be applied before them, by `down_revision` or `depends_on`."""
    chain = scripts.revision_map
    return {
        each.revision for each in chain._get_ancestor_nodes(chain.get_revisions(tuple(ids)), include_dependencies=True)
    }


def with_descendants(scripts: ScriptDirectory, script: Script) -> set[str]:
    """This revision and all that can only be applied after it."""
    found = scripts.revision_map._get_descendant_nodes([script], include_dependencies=True)
    return {each.revision for each in found}


def create_date(scripts: ScriptDirectory) -> datetime:
    """Now, in the time zone that the ini asks for."""
    return scripts._generate_create_date()


def run_hooks(path: Path, scripts: ScriptDirectory) -> None:
    """Run the project's `post_write_hooks` on a new file; what they say goes to standard output."""
    _run_hooks(path, scripts.hooks)


# The run


def version_table(migration_context: MigrationContext) -> Table:
    """The table in which revisions are stamped, as it was configured."""
    return migration_context._version


def take_transaction(migration_context: MigrationContext, connection: Connection) -> None:
    """Make the connection's transaction the one that Alembic will commit; begin one where there is none."""
    migration_context._transaction = connection.get_transaction() or connection.begin()


class Supervisor:
    """Is asked before Alembic runs a revision, sends a statement, or leaves the transaction. This one lets all pass."""

    def steps(self, heads: Sequence[str], steps: Iterable[Any]) -> Iterable[Any]:
        """The steps of the command, for a database at `heads`; of Alembic's `RevisionStep` or `StampStep`."""
        return steps

    def execute(self, construct: Executable | str, send: Send) -> Any:
        """Carry out what an operation, `op.execute` or the stamp asks for; `send` does it as Alembic would."""
        return send(construct)

    def autocommit_block(self, leave: Callable[[], AbstractContextManager[None]]) -> AbstractContextManager[None]:
        """The revision leaves its transaction for a block; `leave` does it as Alembic would."""
        return leave()


_WITH_DEFAULT = ("server_default", "type_", "postgresql_using")
_AFTER_DEFAULT = ("nullable", "name", "comment", "existing_comment")
"""Of `alter_column`."""


class SupervisedImpl(DefaultImpl):
    """The implementation of a dialect, whose every statement the supervisor sees.

    Alembic registers a class that has `__dialect__`; this one has none.
    """

    supervisor: Supervisor

    @classmethod
    def of(cls, stock: DefaultImpl, supervisor: Supervisor) -> "SupervisedImpl":
        """One that is else like `stock`, whose class may be the project's own."""
        impl: SupervisedImpl = type(cls.__name__, (cls, type(stock)), {})(
            stock.dialect,
            stock.connection,
            stock.as_sql,
            stock.transactional_ddl,
            stock.output_buffer,
            stock.context_opts,
        )
        impl.supervisor = supervisor
        return impl

    def _exec(self, construct: Executable | str, *arguments: Any, **options: Any) -> Any:
        return self.supervisor.execute(
            construct, lambda each: super(SupervisedImpl, self)._exec(each, *arguments, **options)
        )

    def alter_column(self, table_name: str, column_name: str, **options: Any) -> None:
        """As Alembic does it, but for the default that comes with NOT NULL, which Alembic sets after it.

        Committed one by one, NOT NULL would refuse the rows of clients that do not know the column.
        """
        default = options.get("server_default", False)
        given = default is not False and default is not None and not isinstance(default, Identity | Computed)
        if given and options.get("nullable") is False:
            later = {name: value for name, value in options.items() if name not in _WITH_DEFAULT}
            options = {name: value for name, value in options.items() if name not in _AFTER_DEFAULT}
            super().alter_column(table_name, column_name, **options)
            options = later
        super().alter_column(table_name, column_name, **options)

    def send(self, construct: Executable | str) -> Any:
        """Send a statement as Alembic would, past the supervisor."""
        return super()._exec(construct)


class SupervisedContext(MigrationContext):
    """The migration context of one run, with a supervisor. Nothing is registered with Alembic: it ends with the run."""

    impl: SupervisedImpl

    def __init__(
        self,
        stock: MigrationContext,
        supervisor: "Callable[[SupervisedContext], Supervisor]",
        *,
        is_there: bool = False,
    ) -> None:
        # Not by Alembic's own constructor: that would announce "Context impl" in the log a second time.
        vars(self).update(vars(stock))
        self._is_there = is_there
        self.supervisor = supervisor(self)
        self.impl = SupervisedImpl.of(stock.impl, self.supervisor)
        stock_steps = stock._migrations_fn
        assert stock_steps is not None, "set by EnvironmentContext.configure"
        self._migrations_fn = lambda heads, run: self.supervisor.steps(heads, stock_steps(heads, run))

    @contextmanager
    def autocommit_block(self) -> Iterator[None]:
        """As Alembic's, with what the supervisor does around it."""
        with self.supervisor.autocommit_block(self.leave_transaction):
            yield

    def _has_version_table(self) -> bool:
        """Looked for until it is there: each look costs as much as a small revision."""
        self._is_there = self._is_there or super()._has_version_table()
        return self._is_there

    def _ensure_version_table(self, purge: bool = False) -> None:
        if purge or not self._has_version_table():
            super()._ensure_version_table(purge)

    def leave_transaction(self) -> AbstractContextManager[None]:
        """Alembic's own block: it commits, runs what is in it without a transaction, and begins another one."""
        return super().autocommit_block()

    def send(self, construct: Executable | str) -> Any:
        """Send a statement as Alembic would, past the supervisor."""
        return self.impl.send(construct)


def replace_connection(migration_context: MigrationContext, connection: Any) -> None:
    """Use another connection from now on, or what stands for one; it is in no transaction of the caller's."""
    migration_context.connection = migration_context.impl.connection = connection
    migration_context._in_external_transaction = False


def join_transaction(migration_context: MigrationContext, connection: Connection) -> None:
    """Use another connection from now on, and the transaction that it is in; the end of that is the caller's."""
    migration_context.connection = migration_context.impl.connection = connection
    migration_context._in_external_transaction = True


def use_version_table(migration_context: MigrationContext, name: str) -> None:
    """Stamp revisions in the table of this name from now on, in the default schema."""
    migration_context.version_table, migration_context.version_table_schema = name, None
    migration_context._version = migration_context.impl.version_table_impl(
        version_table=name, version_table_schema=None, version_table_pk=True
    )


def is_in_callers_transaction(migration_context: MigrationContext) -> bool:
    """Whether the connection was in a transaction already when `context.configure()` was called."""
    return migration_context._in_external_transaction


def commit_each_revision(migration_context: MigrationContext) -> None:
    """As `transaction_per_migration=True` has it."""
    migration_context._transaction_per_migration = True


def supervise(
    stock: MigrationContext, supervisor: Callable[[SupervisedContext], Supervisor], *, is_stamped: bool = False
) -> SupervisedContext:
    """Put a supervised context in the place of the environment's own, and return it.

    With `is_stamped` a revision was read from the version table already, and nobody else may change it: that it is
    there is not asked again. To be called after `context.configure()` and before `context.begin_transaction()`.
    """
    environment = stock.environment_context
    assert environment is not None, "only an env.py configures a run"
    environment._migration_context = supervised = SupervisedContext(stock, supervisor, is_there=is_stamped)
    return supervised
