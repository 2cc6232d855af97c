"""Extensions that the embedded server does not have: one of the name, with what revisions use of it as a rule.

A chain begins with `CREATE EXTENSION "uuid-ossp"` as often as not, and nothing behind it would be looked at. From
PostgreSQL 18 on, a server looks for extensions in other folders too (`extension_control_path`). What a stand-in has are
the names and the signatures, so that columns, defaults and indexes can be made. Values are others, and an index of an
operator class of it takes no row: `internal_in` raises an error, and never crashes the server.
"""

import re
from collections.abc import Iterable
from pathlib import Path

REFUSES_ROWS = "cannot accept a value of type internal"
"""What such an index says."""
_CREATED = re.compile(r"CREATE\s+EXTENSION\s+(?:IF\s+NOT\s+EXISTS\s+)?[\\\"']*([\w-]+)", re.IGNORECASE)
_CONTROL = "default_version = '0'\nrelocatable = true\ntrusted = true\n"
_TYPES = ("int2", "int4", "int8", "text", "varchar", "uuid", "date", "timestamp", "timestamptz", "numeric", "bool")


def _function(signature: str, body: str) -> str:
    return f"CREATE FUNCTION {signature} LANGUAGE sql AS $$ SELECT {body} $$;"


def _operator_class(name: str, type_: str, method: str, functions: int, *, default: bool) -> str:
    supports = ", ".join(f"FUNCTION {number} internal_in(cstring)" for number in range(1, functions + 1))
    equal = "OPERATOR 3 = ({0}, {0}), ".format("text" if type_ == "varchar" else type_)
    operators = equal if method == "gist" and default else ""
    said = "DEFAULT " if default else ""
    return f"CREATE OPERATOR CLASS {name} {said}FOR TYPE {type_} USING {method} AS {operators}{supports};"


_SQL: dict[str, tuple[str, ...]] = {
    "uuid-ossp": (
        *(
            _function(f"uuid_generate_{name}() RETURNS uuid VOLATILE", "gen_random_uuid()")
            for name in ("v1", "v1mc", "v4")
        ),
        *(
            _function(f"uuid_generate_{name}(uuid, text) RETURNS uuid IMMUTABLE", "md5($1::text || $2)::uuid")
            for name in ("v3", "v5")
        ),
        _function("uuid_nil() RETURNS uuid IMMUTABLE", "'00000000-0000-0000-0000-000000000000'::uuid"),
    ),
    "pgcrypto": (
        _function("digest(text, text) RETURNS bytea IMMUTABLE", "sha256(convert_to($1, 'UTF8'))"),
        _function("digest(bytea, text) RETURNS bytea IMMUTABLE", "sha256($1)"),
        _function("hmac(text, text, text) RETURNS bytea IMMUTABLE", "sha256(convert_to($1 || $2, 'UTF8'))"),
        _function("crypt(text, text) RETURNS text IMMUTABLE", "md5($1 || $2)"),
        _function("gen_salt(text) RETURNS text VOLATILE", "gen_random_uuid()::text"),
        _function("gen_salt(text, int) RETURNS text VOLATILE", "gen_random_uuid()::text"),
        _function("gen_random_bytes(int) RETURNS bytea VOLATILE", "sha256(uuid_send(gen_random_uuid()))"),
    ),
    "citext": ("CREATE DOMAIN citext AS text;",),
    "hstore": ("CREATE DOMAIN hstore AS text;",),
    "ltree": ("CREATE DOMAIN ltree AS text;",),
    "pg_trgm": (
        _function("similarity(text, text) RETURNS real IMMUTABLE", "0::real"),
        _function("word_similarity(text, text) RETURNS real IMMUTABLE", "0::real"),
        _function("trgm_like(text, text) RETURNS boolean IMMUTABLE", "$1 = $2"),
        "CREATE OPERATOR % (LEFTARG = text, RIGHTARG = text, FUNCTION = trgm_like);",
        _operator_class("gin_trgm_ops", "text", "gin", 4, default=False),
        _operator_class("gist_trgm_ops", "text", "gist", 7, default=False),
    ),
    "btree_gin": tuple(_operator_class(f"{each}_ops", each, "gin", 4, default=True) for each in _TYPES),
    "btree_gist": tuple(_operator_class(f"gist_{each}_ops", each, "gist", 7, default=True) for each in _TYPES),
    "unaccent": (
        _function("unaccent(text) RETURNS text STABLE", "$1"),
        "CREATE TEXT SEARCH DICTIONARY unaccent (TEMPLATE = pg_catalog.simple);",
    ),
}


def named_extensions(texts: Iterable[str]) -> set[str]:
    """Those that revisions create."""
    return {match[1] for text in texts for match in _CREATED.finditer(text)}


def write_stand_ins(folder: Path, names: Iterable[str]) -> str:
    """One for each name, empty where nothing is known of it; the setting that makes the server look there.

    An extension that the server has itself comes first.
    """
    place = folder / "extension"
    place.mkdir()
    for name in names:
        (place / f"{name}.control").write_text(_CONTROL, encoding="utf-8")
        (place / f"{name}--0.sql").write_text("\n".join(_SQL.get(name, ())), encoding="utf-8")
    return f"'$system:{folder}'"
