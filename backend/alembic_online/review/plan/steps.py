"""Alembic's steps one by one: no command says "only this revision of two branches", nor stops in between to look."""

from collections.abc import Callable, Iterator
from typing import Any

from alembic.config import Config
from alembic.runtime.environment import EnvironmentContext
from alembic.runtime.migration import MigrationContext, MigrationStep, RevisionStep
from alembic.script import Script, ScriptDirectory

from alembic_online.revisions.project import Project
from alembic_online.runtime.own_thread import outside_of_loops


def upgrade(project: Project, config: Config, steps: Callable[[], Iterator[RevisionStep]]) -> None:
    """Run the project's env.py with these steps, up or down; what the iterator does happens between two of them.

    It is called as Alembic's own, for the toolkit reads the name of the command from its function. Raises `UserError`.
    """

    def migrations(_: Any, run: MigrationContext) -> Iterator[RevisionStep]:
        for step in steps():
            run.impl.memo.clear()  # of enums that SQLAlchemy has made: a step down may have dropped them since
            yield step

    # The oldest revision is nowhere near: but a squashed chain is the old one for whoever names one of the old ones.
    oldest = [script.revision for script in project.scripts.walk_revisions()][-1:]
    options = {"as_sql": False, "starting_rev": None, "destination_rev": oldest, "tag": None}
    with EnvironmentContext(config, project.scripts, fn=migrations, **options):
        outside_of_loops(project.scripts.run_env)


def up(scripts: ScriptDirectory, script: Script) -> RevisionStep:
    """The step that applies one revision, on top of its parents."""
    return MigrationStep.upgrade_from_script(scripts.revision_map, script)


def down(scripts: ScriptDirectory, script: Script) -> RevisionStep:
    """The step that takes it back; nothing that is built on it may be there."""
    return MigrationStep.downgrade_from_script(scripts.revision_map, script)
