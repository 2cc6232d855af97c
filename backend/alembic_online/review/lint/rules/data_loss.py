"""data-loss: the upgrade destroys what people have entered."""

from collections.abc import Iterator

from alembic_online.autogenerate.context import quoted
from alembic_online.postgres.catalogue import Attribute, Kind
from alembic_online.recipes.names import plain
from alembic_online.recipes.object_effects import made
from alembic_online.review.lint.data_changes import data_changes
from alembic_online.review.lint.executed_revision import Trial
from alembic_online.review.lint.removed import removed, renamed
from alembic_online.review.lint.rule import Found, Revision, Rule
from alembic_online.runner.copied_values import copied


def _check(revision: Revision) -> Iterator[Found]:
    if (trial := revision.trial) is None:
        return
    for identity in removed(trial):
        if not trial.before.catalogue[identity].has(Attribute.GENERATED) and not renamed(trial, identity.name):
            what = f"column {identity.table}.{identity.name}" if identity.kind is Kind.COLUMN else str(identity.name)
            yield Found(f"It drops {what} with all that it holds.", trial.line_of(identity.table, identity.name))
    for what, line in _replaced(trial):
        yield Found(f"It drops {what} with all that it holds; what has its name then is another one.", line)
    for change in data_changes(trial):
        if change.verb in ("DELETE FROM", "TRUNCATE"):
            yield Found(f"It deletes rows of {change.table}: {change.sql}", change.line)
    for each in trial.cut:
        yield Found(f"{each}: values are rounded or cut.", trial.line_of(each.identity.table, each.identity.name))
    for each in trial.differences:
        if each.identity.kind is Kind.COLUMN and each.attribute == Attribute.GENERATED and each.before is None:
            line = trial.line_of(each.identity.table, each.identity.name)
            yield Found(f"{each}: what it holds goes, and is computed from now on.", line)


def _replaced(trial: Trial) -> Iterator[tuple[str, int]]:
    """Tables and columns that go and are rebuilt under their names, but for what was copied before."""
    catalogue, copies = trial.before.catalogue, {name for each in trial.upgrade for name in copied(each.sql)}
    tables = {name: identity for name, identity in trial.tables.items() if identity in trial.after.catalogue}
    columns = {
        f"{name}.{quoted(each.name)}": each
        for name, table in tables.items()
        for each in catalogue
        if each[:3] == (Kind.COLUMN, table.schema, table.name) and each in trial.after.catalogue
    }
    for place, traced in enumerate(trial.upgrade):
        for what in traced.destroys:
            identity = tables.get(what) or columns.get(what)
            if identity is None or {identity.name, f"{identity.table}.{identity.name}"} & copies:
                continue
            later = (each.sql for each in trial.upgrade[place + 1 :] if "RENAME" not in each.sql.upper())
            if any(plain(identity.name) in set(made(sql)) for sql in later):
                yield f"{identity.kind} {what}", traced.line or 1


RULE = Rule(
    "data-loss",
    "What is gone can only be had back from a backup; a downgrade brings back an empty column.",
    "Nothing in the revision says that somebody thought of it.",
    "# lint: allow data-loss because WHY NOBODY NEEDS IT",
    _check,
)
