"""Who sees what: students what is published and their own, administrators all of the course."""

from typing import Any
from uuid import UUID

from sqlalchemy import BindParameter, Boolean, ColumnElement, Table, Uuid, and_, bindparam, case, func, literal, or_

from src.db.tables import chapters, modules

EVERYTHING: BindParameter[bool] = bindparam("everything", type_=Boolean())
"""The parameter of every statement below that says whether drafts are seen too."""

USER: BindParameter[UUID] = bindparam("user", type_=Uuid())
"""The parameter that says whose own things are seen."""

MODULE_VISIBLE = or_(modules.c.is_published, EVERYTHING)
CHAPTER_VISIBLE = or_(and_(chapters.c.is_published, modules.c.is_published), EVERYTHING)


def publication(table: Table, published: ColumnElement[bool] | bool) -> ColumnElement[Any]:
    """The new `published_at`: the first time it was published, and nothing while it is not."""
    is_published: ColumnElement[bool] = literal(published) if isinstance(published, bool) else published
    return case((is_published, func.coalesce(table.c.published_at, func.now())), else_=None)
