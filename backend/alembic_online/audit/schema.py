"""The JSON schema of an audit's data, version 1: `alembic-online audit --schema` prints it."""

from typing import Any

from alembic_online.audit.report import APPLIED, FAILED, FORMAT, NOT_LOOKED_AT, VERSION
from alembic_online.formats.report import Level

_TEXT, _TEXTS = {"type": "string"}, {"type": "array", "items": {"type": "string"}}
_COUNT, _LINE = {"type": "integer", "minimum": 0}, {"type": "integer", "minimum": 1}
_LEVEL = {"enum": [level.value for level in Level]}


def _object(properties: dict[str, Any]) -> dict[str, Any]:
    """All of them are always there; a later toolkit may add others."""
    return {"type": "object", "properties": properties, "required": list(properties)}


def _array(items: dict[str, Any]) -> dict[str, Any]:
    return {"type": "array", "items": items}


_STATEMENT = _object(
    {
        "line": {"type": ["integer", "null"], "description": "of the revision file"},
        "sql": _TEXT,
        "transaction": {**_LINE, "description": "statements of one number are committed together"},
        "locks": {"type": "object", "additionalProperties": _TEXT, "description": "the strongest on each table"},
        "blocks": {"type": ["string", "null"], "description": "what clients cannot do meanwhile"},
        "rewrites": {**_TEXTS, "description": "tables that got another file"},
        "scans": {**_TEXTS, "description": "tables that were read as a whole"},
        "destroys": {**_TEXTS, "description": "tables and columns that go with what they hold"},
        "seconds": {
            "type": "number",
            "minimum": 0,
            "description": "about, with tables as large as given or assumed",
        },
    }
)
_REVISION = _object(
    {
        "revision": _TEXT,
        "parents": {**_TEXTS, "description": "of down_revision and depends_on"},
        "file": _TEXT,
        "message": _TEXT,
        "state": {"enum": [APPLIED, FAILED, NOT_LOOKED_AT]},
        "because": {**_TEXT, "description": "why it failed, or the revision that stands in its way"},
        "plain": {**_array(_STATEMENT), "description": "what plain Alembic executed"},
        "online": {
            "anyOf": [_array(_STATEMENT), {"type": "null"}],
            "description": "what the toolkit executed; null where it did not",
        },
    }
)
_FINDING = _object(
    {
        "rule": _TEXT,
        "level": _LEVEL,
        "revision": {"type": ["string", "null"]},
        "file": {**_TEXT, "description": "as seen from the project's folder"},
        "line": _LINE,
        "what": _TEXT,
        "instead": {**_TEXT, "description": "what to write instead"},
        "sql": {**_TEXTS, "description": "what would be executed instead"},
    }
)
_RULE = _object({"code": _TEXT, "level": _LEVEL, "danger": _TEXT, "reason": _TEXT, "remedy": _TEXT})

SCHEMA: dict[str, Any] = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "title": "An audit of an Alembic project",
    **_object(
        {
            "format": {"const": FORMAT},
            "version": {"const": VERSION},
            "tool": _object({"name": _TEXT, "version": _TEXT}),
            "scripts": {**_TEXT, "description": "the folder of env.py"},
            "postgresql": _COUNT,
            "assumed": {
                **_object({"rows": _COUNT, "bytes": _COUNT}),
                "description": "of every table that is not in sizes",
            },
            "sizes": {"type": "object", "additionalProperties": _COUNT, "description": "bytes of each table, as given"},
            "heads": _TEXTS,
            "same_end": {
                "type": ["boolean", "null"],
                "description": "whether plain Alembic and the toolkit make the same schema; null where it is not known",
            },
            "models": _object({"compared": {"type": "boolean"}, "because": _TEXT, "differences": _TEXTS}),
            "revisions": {**_array(_REVISION), "description": "from the oldest on"},
            "rules": _array(_RULE),
            "findings": _array(_FINDING),
            "remarks": {**_TEXTS, "description": "what could not be looked at"},
        }
    ),
}
