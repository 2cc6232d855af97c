"""The models and the database, held against each other: what `check` says and what `revision --autogenerate` writes."""

from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cached_property

from alembic.runtime.migration import MigrationContext
from sqlalchemy import MetaData

from alembic_online.autogenerate.cannot_write import CannotWrite
from alembic_online.autogenerate.compare_hooks import CompareHooks
from alembic_online.autogenerate.context import Schema, read_schema
from alembic_online.autogenerate.difference_report import announcement
from alembic_online.autogenerate.existing_rows import hold_null
from alembic_online.autogenerate.halfway import halfway
from alembic_online.autogenerate.include_filters import IncludeFilters, without
from alembic_online.autogenerate.model_schema import Built, build_models
from alembic_online.autogenerate.obstacles import unknown
from alembic_online.autogenerate.own_types import OwnTypes
from alembic_online.autogenerate.scope import comparable
from alembic_online.autogenerate.unspecified_options import as_live
from alembic_online.autogenerate.verification import Task, Trial
from alembic_online.errors import RequestRefused
from alembic_online.postgres.catalogue import Catalogue, Difference, Identity, Kind
from alembic_online.postgres.connection.connected_url import connected_url
from alembic_online.postgres.connection.url import DatabaseURL
from alembic_online.postgres.scratch import Place, in_scratch, read_place
from alembic_online.releases.breaks import phase_between
from alembic_online.releases.phase import Phase
from alembic_online.revisions.named_schemas import schemas_of_project, text_of_revisions

_TELLS_FILES_APART = ("%(rev)s", "%(slug)s")
"""Words of Alembic's `file_template` of which two files of one command differ."""


@dataclass(frozen=True)
class Comparison:
    """Both schemas, in all and as far as they are ours."""

    context: MigrationContext
    metadata: MetaData
    target: DatabaseURL
    place: Place
    elsewhere: str
    whole: Schema
    built: Built
    in_full: bool
    """Whether names of the default schema are written in full."""

    @cached_property
    def _ours(self) -> tuple[Schema, Schema]:
        live, wanted = self._comparable(self.whole)
        live, wanted = self._known(live), self._known(wanted)
        if self._filters is not None:
            live, wanted = self._filters.without_excluded(live, wanted)
        wanted = as_live(live, wanted, self.metadata)
        hooks = CompareHooks.of(self.context, self.metadata)
        return live, wanted if hooks is None else hooks.with_the_same(live, wanted)

    @cached_property
    def _filters(self) -> IncludeFilters | None:
        return IncludeFilters.of(self.context.opts, self.metadata, self.place.schema)

    @cached_property
    def _unknown(self) -> frozenset[Identity]:
        return unknown(self.built.obstacles, self.whole, self.built.schema) if self.built.obstacles else frozenset()

    def _known(self, schema: Schema) -> Schema:
        place = self.context.version_table_schema or self.whole.default
        versions = Identity(Kind.TABLE, place, "", self.context.version_table)  # which may have any name
        return without(schema, self._unknown | {versions})

    @cached_property
    def differences(self) -> list[Difference]:
        """What an upgrade would have to change, and what the models say is called otherwise. Raises `RequestRefused`
        where a hint cannot be carried out."""
        task = self._task()
        if task.has_hints:
            return in_scratch(self.target, self.place, task.announce, elsewhere=self.elsewhere)
        assert self.context.connection is not None, "the command needs the database"
        return announcement(self.context.connection, [], task.live, task.wanted, self.metadata)

    @property
    def phase(self) -> Phase:
        """Whether a release that was built for the live schema would notice."""
        live, wanted = self._ours
        return phase_between(live.catalogue, wanted.catalogue)

    def trial(self) -> Trial:
        """The lines of a revision, tried in a scratch database; where they cannot run, in another order.

        Raises `RequestRefused`, also where no order was found, `CannotWrite`.
        """
        task = replace(self._task(), hold_null=self._hold_null)
        trial = in_scratch(self.target, self.place, task.run, elsewhere=self.elsewhere)
        if not trial.failure:
            return trial
        with suppress(CannotWrite):
            other = in_scratch(self.target, self.place, replace(task, rebuild=True).run, elsewhere=self.elsewhere)
            if not other.failure:
                return other
        raise RequestRefused(
            f"Autogenerate finds no lines for this that run: {trial.failure}.",
            "Change the models in two steps, with a revision for each; or write this one by hand.",
        )

    def pair(self, whole: Trial) -> tuple[Trial, Trial] | None:
        """The same in two revisions, an expand and a contract, where part of it can go before and part of it must wait.

        `whole` is the trial of one revision for all of it. None where it is expand or contract as a whole, where it
        renames (a name of before and a name of after need a view or a trigger), and where two do not run or do not lead
        to the models; nor where both files would have one name.
        """
        live, wanted = self._ours
        renames = any(each.old.kind not in (Kind.CONSTRAINT, Kind.INDEX) for each in whole.renames)
        assert self.context.script is not None, "Alembic gives every environment its script directory"
        one_name = not any(word in self.context.script.file_template for word in _TELLS_FILES_APART)
        between = None if renames or one_name else halfway(live, wanted, self.metadata)
        if between is None:
            return None
        task = replace(self._task(), hold_null=self._hold_null)
        others = without(self.whole, frozenset(live.catalogue)).catalogue
        beside = replace(
            between,
            catalogue=Catalogue([*others.values(), *between.catalogue.values()]),
            needs={**self.whole.needs, **between.needs},
        )
        steps = replace(task, wanted=between), replace(task, whole=beside, live=between)
        try:
            first, second = (in_scratch(self.target, self.place, each.run, elsewhere=self.elsewhere) for each in steps)
        except (CannotWrite, RequestRefused):
            return None
        failed = any(
            each.failure or each.problems or len(each.with_rows) > len(whole.with_rows) for each in (first, second)
        )
        return None if failed else (first, second)

    @cached_property
    def _hold_null(self) -> frozenset[Identity]:
        """Each column is asked about once, for all trials."""
        assert self.context.connection is not None, "the command needs the database"
        return hold_null(self.context.connection, *self._ours)

    def _task(self) -> Task:
        assert self.context.script is not None, "as above"
        live, wanted = self._ours
        revisions = text_of_revisions(self.context.script)
        own = OwnTypes.of(self.context, self.metadata, self.place.schema)
        task = Task(self.whole, live, wanted, self.metadata, self._scope, revisions, self.in_full)
        return task if own is None else replace(task, own_type=own.type_of)

    def _scope(self, schema: Schema) -> Schema:
        known = self._known(self._comparable(schema)[0])
        return known if self._filters is None else self._filters.without_excluded(known, self.built.schema)[0]

    def _comparable(self, schema: Schema) -> tuple[Schema, Schema]:
        assert self.context.script is not None, "Alembic gives every environment its script directory"
        return comparable(schema, self.built.schema, self.metadata, self.context.script, helpers=self.built.helpers)


def compare_with_models(
    context: MigrationContext, metadata: MetaData, target: DatabaseURL | None, elsewhere: str = ""
) -> Comparison:
    """Read the database of `context`, and build the models beside it. Raises `RequestRefused` if they make nothing."""
    connection = context.connection
    assert connection is not None, "the command needs the database"
    target = target or connected_url(connection)
    assert context.script is not None, "Alembic gives every environment its script directory"
    named = schemas_of_project(metadata, context.script)
    place = read_place(connection).beside(named)
    in_full = place.ambiguous(named)
    place = place.default_first()
    whole = replace(read_schema(connection), default=place.schema)
    built = build_models(metadata, whole, place, target, elsewhere)
    return Comparison(context, metadata, target, place, elsewhere, whole, built, in_full)
