"""Whether rows that older code writes may break a constraint or unique index that is new.

Older code leaves a new column out: what it holds then is NULL or its default, and both are held against the rule.
"""

from collections.abc import Iterator

from alembic_online.postgres.catalogue import Attribute, Catalogue, CatalogueObject, Kind
from alembic_online.postgres.sql.tokens import Kind as TokenKind
from alembic_online.postgres.sql.tokens import Token, tokens

NULLS_NOT_DISTINCT = " NULLS NOT DISTINCT"
_STRICT = frozenset(
    {
        *("AND", "OR", "NOT", "ANY", "ALL", "ARRAY"),
        *("LENGTH", "CHAR_LENGTH", "CHARACTER_LENGTH", "OCTET_LENGTH", "LOWER", "UPPER", "BTRIM", "ABS"),
        *("VARYING", "PRECISION", "WITH", "WITHOUT", "TIME", "ZONE"),
    }
)
"""Words of an expression that is NULL where its only column is; the last are of types with several words."""


def ruled(definition: str) -> str:
    """What a unique constraint or index, or a foreign key, is of: from its first parenthesis on."""
    return definition[definition.find("(") :]


def may_refuse_old_rows(new: CatalogueObject, before: Catalogue, after: Catalogue) -> bool:
    """Whether a row in which every new column is NULL or has its default may break `new`; where in doubt, it may."""
    place = new.schema, new.identity.table
    columns = [each for each in after.values() if each.kind is Kind.COLUMN and _place(each) == place]
    stay_null = {each.name for each in columns if each.identity not in before and _stays_null(each)}
    definition = new.text(Attribute.DEFINITION)
    if definition.startswith("CHECK"):
        return not _passes_null(definition, {each.name for each in columns}, stay_null)
    keys = set(_keys(ruled(definition)))
    if definition.startswith("FOREIGN KEY"):
        return not (keys <= stay_null if "MATCH FULL" in definition else keys & stay_null)
    counted = {each.name for each in columns if each.identity not in before and each.has(Attribute.IDENTITY)}
    if definition.startswith("EXCLUDE"):
        return not keys & stay_null
    return not keys & (counted if NULLS_NOT_DISTINCT in definition else counted | stay_null)


def _place(part: CatalogueObject) -> tuple[str, str]:
    return part.schema, part.identity.table


def _stays_null(column: CatalogueObject) -> bool:
    filled = (Attribute.NOT_NULL, Attribute.DEFAULT, Attribute.IDENTITY, Attribute.GENERATED)
    return not any(column.has(each) for each in filled)


def _passes_null(check: str, columns: set[str], stay_null: set[str]) -> bool:
    """Whether it is of one column that stays NULL, and compares it: a CHECK that is NULL lets the row pass."""
    words = [each for each in _without_types(check.removeprefix("CHECK")) if _is_word(each)]
    of = {_name(each) for each in words} & columns
    strict = all(_name(each) in of or each.keyword in _STRICT for each in words)
    return len(of) == 1 and of <= stay_null and strict and "|" not in {each.text for each in tokens(check)}


def _without_types(sql: str) -> Iterator[Token]:
    """Its tokens without the name, also a qualified one, after each `::`."""
    before = ""
    for each in tokens(sql):
        is_type = before == "::" and (_is_word(each) or each.text == ".")
        if not is_type:
            before = each.text
            yield each


def _keys(listed: str) -> Iterator[str]:
    """The columns of a key that stand in its list by themselves; an expression of a column may be no NULL."""
    depth, item = 0, list[Token]()
    for each in tokens(listed):
        depth += {"(": 1, ")": -1}.get(each.text, 0)
        if depth == 0 or (depth == 1 and each.text == ","):
            if item and _is_word(item[0]) and not any(token.text == "(" for token in item[1:2]):
                yield _name(item[0])
            item = []
        elif item or each.text != "(" or depth > 1:
            item.append(each)
        if depth == 0:
            return


def _is_word(token: Token) -> bool:
    return token.kind in (TokenKind.WORD, TokenKind.QUOTED_NAME)


def _name(token: Token) -> str:
    return token.text[1:-1].replace('""', '"') if token.kind is TokenKind.QUOTED_NAME else token.text
