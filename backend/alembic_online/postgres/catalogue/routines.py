"""Functions, procedures and aggregates, told apart by name and argument types.

Signature (parameters and result) and defaults (how many parameters have one) say whether one may replace another.
"""

from alembic_online.postgres.catalogue.scope import SCOPE, comment, not_part, privileges, users_own

# PostgreSQL prints no definition of an aggregate: this is CREATE AGGREGATE, an option a line, without its defaults.
AGGREGATE = """(SELECT concat_ws(E'\\n',
        'kind = ' || CASE a.aggkind WHEN 'n' THEN 'normal' WHEN 'o' THEN 'ordered set' ELSE 'hypothetical set' END,
        'arguments = ' || pg_get_function_arguments(p.oid), 'returns = ' || format_type(p.prorettype, NULL),
        'sfunc = ' || a.aggtransfn::regproc, 'stype = ' || format_type(a.aggtranstype, NULL),
        'sspace = ' || nullif(a.aggtransspace, 0), 'initcond = ' || quote_literal(a.agginitval),
        'finalfunc = ' || nullif(a.aggfinalfn, 0)::regproc, CASE WHEN a.aggfinalextra THEN 'finalfunc_extra' END,
        'finalfunc_modify = ' || a.aggfinalmodify::text,
        'combinefunc = ' || nullif(a.aggcombinefn, 0)::regproc,
        'serialfunc = ' || nullif(a.aggserialfn, 0)::regproc,
        'deserialfunc = ' || nullif(a.aggdeserialfn, 0)::regproc,
        'msfunc = ' || nullif(a.aggmtransfn, 0)::regproc, 'minvfunc = ' || nullif(a.aggminvtransfn, 0)::regproc,
        'mstype = ' || format_type(nullif(a.aggmtranstype, 0), NULL),
        'msspace = ' || nullif(a.aggmtransspace, 0), 'minitcond = ' || quote_literal(a.aggminitval),
        'mfinalfunc = ' || nullif(a.aggmfinalfn, 0)::regproc, CASE WHEN a.aggmfinalextra THEN 'mfinalfunc_extra' END,
        'mfinalfunc_modify = ' || a.aggmfinalmodify::text,
        'sortop = ' || nullif(a.aggsortop, 0)::regoperator, 'parallel = ' || p.proparallel::text)
    FROM pg_aggregate a WHERE a.aggfnoid = p.oid)"""

SQL = (
    SCOPE
    + f"""
SELECT CASE p.prokind WHEN 'p' THEN 'procedure' WHEN 'a' THEN 'aggregate' ELSE 'function' END,
    n.schema, '', format('%s(%s)', p.proname, oidvectortypes(p.proargtypes)), NULL::text[],
    json_build_object(
        'definition', CASE p.prokind WHEN 'a' THEN {AGGREGATE} ELSE pg_get_functiondef(p.oid) END,
        'signature', CASE p.prokind WHEN 'a' THEN NULL
            ELSE concat_ws(' returns ', pg_get_function_identity_arguments(p.oid), pg_get_function_result(p.oid)) END,
        'defaults', p.pronargdefaults,
        'comment', {comment("pg_proc", "p.oid")},
        'privileges', {privileges("p.proacl", "f", "p.proowner")},
        'owner', pg_get_userbyid(p.proowner))::text
FROM pg_proc p JOIN namespace n ON n.oid = p.pronamespace
WHERE {users_own("pg_proc", "p.oid")} AND {not_part("pg_proc", "p.oid")}
"""
)
