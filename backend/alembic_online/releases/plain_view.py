"""Whether a view is only columns of one table, so that it is read and written like that."""

from alembic_online.postgres.catalogue import Attribute, CatalogueObject, Kind
from alembic_online.postgres.sql.tokens import Kind as TokenKind
from alembic_online.postgres.sql.tokens import Token, tokens

_NO_COLUMNS = ("DISTINCT", "NULL", "TRUE", "FALSE")


def is_plain_view(view: CatalogueObject) -> bool:
    """`SELECT columns FROM one table`, as `pg_get_viewdef` prints it. Others may be updatable too: it errs to no."""
    if view.kind is not Kind.VIEW:
        return False
    select, *rest = tokens(view.text(Attribute.DEFINITION).rstrip().removesuffix(";"))
    place = next((number for number, each in enumerate(rest) if each.keyword == "FROM"), len(rest))
    columns, table = rest[:place], rest[place + 1 :]
    is_name = len(table) == 1 or (len(table) == 3 and table[1].text == ".")
    return select.keyword == "SELECT" and is_name and all(map(_is_of_names, columns))


def _is_of_names(token: Token) -> bool:
    if token.kind is TokenKind.SYMBOL:
        return token.text in (",", ".")
    return token.kind is TokenKind.QUOTED_NAME or (token.kind is TokenKind.WORD and token.keyword not in _NO_COLUMNS)
