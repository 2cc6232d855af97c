"""Whether the old table has got something since the new one was planned: it would go with it without a word.

The swap looks once more, when nobody can change anything.
Another default is another object. What it says is not compared: the same cut-over may drop it, or rename its type.
"""

import json

from alembic_online.recipes.database import Database
from alembic_online.recipes.names import literal
from alembic_online.recipes.shadow_table.source_table import OldTable

# What others hang on it, such as views, is in the way of its DROP: of what it owns, nothing is.
_OWNED = """
    SELECT concat_ws(' ', attnum, attname, atttypid, atttypmod, attnotnull, attidentity) AS words,
           'column ' || quote_ident(attname) AS name
    FROM pg_attribute
    WHERE attrelid = to_regclass({table}) AND attnum > 0 AND NOT attisdropped
    UNION ALL SELECT concat_ws(' ', classid, objid), pg_describe_object(classid, objid, 0) FROM pg_depend
    WHERE refclassid = 'pg_class'::regclass AND refobjid = to_regclass({table}) AND deptype IN ('a', 'i')
      AND NOT EXISTS (SELECT FROM pg_trigger WHERE tableoid = classid AND oid = objid AND tgname LIKE '~note%')
"""


def owned(database: Database, old: OldTable) -> str:
    """What it has now, as JSON."""
    return json.dumps(sorted({row.words for row in database.ask(_OWNED.format(table=":table"), table=old.sql)}))


def refuse_unless(before: str, old: OldTable) -> str:
    """PL/pgSQL for the swap: it fails where the table has anything more, and names it."""
    now = (
        f"SELECT DISTINCT name FROM ({_OWNED.format(table=literal(old.sql))}) AS owned"
        f" WHERE words <> ALL (ARRAY(SELECT json_array_elements_text({literal(before)}::json)))"
    )
    return (
        f"IF EXISTS ({now}) THEN RAISE EXCEPTION USING ERRCODE = 'object_not_in_prerequisite_state', MESSAGE = (SELECT"
        f" {literal(f'Since its new one was begun, {old.sql} has got: ')} || string_agg(name, ', ') FROM ({now}) AS n),"
        " HINT = 'Drop that, run the same command again, and make it once more afterwards.'; END IF"
    )
