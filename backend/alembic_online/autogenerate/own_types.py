"""`render_item` of `context.configure()`: how a project itself writes the type of a column of its models."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from alembic.autogenerate.api import AutogenContext
from alembic.runtime.migration import MigrationContext
from sqlalchemy import MetaData

from alembic_online.autogenerate.include_filters import model_table
from alembic_online.autogenerate.op_rendering import Code
from alembic_online.postgres.catalogue import CatalogueObject


@dataclass(frozen=True)
class OwnTypes:
    """The function, with what Alembic gives to it, and the models."""

    render_item: Callable[..., Any]
    autogen_context: AutogenContext
    metadata: MetaData
    default: str
    """The schema of names that say none."""

    @classmethod
    def of(cls, context: MigrationContext, metadata: MetaData, default: str) -> "OwnTypes | None":
        """None where `context.configure()` was given no such function."""
        render_item = context.opts.get("render_item")
        if render_item is None:
            return None
        return cls(render_item, AutogenContext(context, metadata, autogenerate=False), metadata, default)

    def type_of(self, column: CatalogueObject) -> Code | None:
        """The type in the project's words, with its imports; None where it leaves it to the toolkit."""
        table = model_table(self.metadata, column.schema, column.identity.table, self.default)
        model = None if table is None else table.columns.get(column.name)
        if model is None:
            return None
        self.autogen_context.imports = set()
        written = self.render_item("type", model.type, self.autogen_context)
        return None if written is False else Code(written, frozenset(self.autogen_context.imports))
