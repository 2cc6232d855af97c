"""The default schema is named in no line, but where a name would mean something else without it."""

from dataclasses import replace

import pytest
from sqlalchemy import Connection

from alembic_online.autogenerate.search_path_names import ShortNames

WRITTEN = {
    "DROP TRIGGER touch ON public.users": "DROP TRIGGER touch ON users",
    'CREATE VIEW public."Odd" AS SELECT public.slug(a) FROM public.t': 'CREATE VIEW "Odd" AS SELECT slug(a) FROM t',
    "a::public.theme <> 'public.x'": "a::theme <> 'public.x'",
    "nextval('public.t_id_seq'::regclass)": "nextval('t_id_seq'::regclass)",
    "SELECT setval('public.s', 5)": "SELECT setval('s', 5)",
    "a OPERATOR(public.<=>) b": "a OPERATOR(<=>) b",
    "archive.public.x, public.x.y": "archive.public.x, x.y",
    "AS $$SELECT FROM public.t$$ -- public.t": "AS $$SELECT FROM public.t$$ -- public.t",
    # It would be another one:
    "SELECT public.lower(a) FROM public.lower": "SELECT public.lower(a) FROM lower",
    "AGGREGATE total (SFUNC = public.lower)": "AGGREGATE total (SFUNC = public.lower)",
    "a::public.text": "a::public.text",
    "FROM public.left": "FROM public.left",
    "CREATE VIEW public.t AS WITH t AS (SELECT FROM public.t) SELECT FROM t, public.u": (
        "CREATE VIEW t AS WITH t AS (SELECT FROM public.t) SELECT FROM t, u"
    ),
}


@pytest.mark.parametrize("full", WRITTEN)
def test_a_name_is_as_short_as_it_can_be(transaction: Connection, full: str) -> None:
    names = ShortNames.of(transaction, "public")
    assert names.shorten(full) == WRITTEN[full]
    assert replace(names, schema="shop").shorten(full) == full


def test_what_an_extension_has_made_is_written_without_its_schema_where_the_path_leads_there(
    transaction: Connection,
) -> None:
    written = "a::extensions.vector(3) OPERATOR(extensions.<=>) b, extensions.books, public.books"
    transaction.exec_driver_sql("CREATE SCHEMA extensions; CREATE EXTENSION vector SCHEMA extensions")
    assert ShortNames.of(transaction, "public").shorten(written) == written.replace("public.", "")
    transaction.exec_driver_sql("SET LOCAL search_path = public, extensions")
    names, short = ShortNames.of(transaction, "public"), "a::vector(3) OPERATOR(<=>) b, extensions.books"
    assert names.shorten(written) == f"{short}, books"
    assert ShortNames.of(transaction, "public", in_full=True).shorten(written) == f"{short}, public.books"
