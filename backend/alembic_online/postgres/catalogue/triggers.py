"""Triggers, rules and event triggers. The triggers with which PostgreSQL carries out constraints are left out."""

from alembic_online.postgres.catalogue.scope import SCOPE, WHOLE_DATABASE, comment, users_own


def _enabled(code: str) -> str:
    return f"CASE {code} WHEN 'D' THEN 'disabled' WHEN 'R' THEN 'on replicas' WHEN 'A' THEN 'always' END"


SQL = (
    SCOPE
    + f"""
SELECT 'trigger' AS kind, r.schema, r.name AS owning_table, t.tgname::text AS name, ARRAY[r.kind, '', r.name] AS parent,
    json_build_object(
        'definition', substr(def, strpos(def, target) + length(target)),
        'statement', def,
        'constraint', t.tgconstraint <> 0,
        'firing', {_enabled("t.tgenabled")},
        'part of', (SELECT p.tgrelid::regclass || ' ' || quote_ident(p.tgname) FROM pg_trigger p
            WHERE p.oid = t.tgparentid),
        'comment', {comment("pg_trigger", "t.oid")})::text AS attributes
FROM relation r JOIN pg_trigger t ON t.tgrelid = r.oid AND NOT t.tgisinternal
CROSS JOIN LATERAL (SELECT pg_get_triggerdef(t.oid) AS def, format('TRIGGER %I ', t.tgname) AS target
    OFFSET 0) AS printed
UNION ALL
SELECT 'rule', r.schema, r.name, w.rulename::text, ARRAY[r.kind, '', r.name],
    json_build_object(
        'definition', pg_get_ruledef(w.oid),
        'firing', {_enabled("w.ev_enabled")},
        'comment', {comment("pg_rewrite", "w.oid")})::text
FROM relation r JOIN pg_rewrite w ON w.ev_class = r.oid AND w.rulename <> '_RETURN'
UNION ALL
SELECT 'event trigger', '', '', e.evtname::text, NULL,
    json_build_object(
        'event', e.evtevent,
        'tags', to_json(e.evttags),
        'function', e.evtfoid::regprocedure::text,
        'firing', {_enabled("e.evtenabled")},
        'comment', {comment("pg_event_trigger", "e.oid")},
        'owner', pg_get_userbyid(e.evtowner))::text
FROM pg_event_trigger e
WHERE {WHOLE_DATABASE} AND {users_own("pg_event_trigger", "e.oid")}
"""
)
