"""Chains that were written for psycopg2 pass: what it carries out is carried out, to the same end."""

import psycopg
import pytest

from tests.alembic_online.project import Project

BOOKS = """
    CREATE TYPE genre AS ENUM ('prose', 'verse');
    CREATE TABLE books (id serial PRIMARY KEY, pages integer, out date, at timestamptz, took interval, price numeric,
        kind genre, facts jsonb, token uuid, tags text[], raw bytea, ip inet, name varchar(50));
    INSERT INTO books (id, pages, kind, facts, name, ip) VALUES (1, 1, 'prose', '{"a": 1}', 'one', '10.0.0.1');
"""
IMPORTS = """
    import datetime, decimal, enum, io, uuid
    from sqlalchemy.dialects import postgresql
    from sqlalchemy.dialects.postgresql.psycopg2 import PGDialect_psycopg2
    from sqlalchemy.orm import Session
    bind, text = op.get_bind(), sa.text
    raw = bind.connection.driver_connection
    books = sa.table("books", *(sa.column(name, sa.String) for name in ("id", "kind", "out", "pages", "name")))
    RealDictCursor = type("RealDictCursor", (), {})  # where psycopg2 is not, as here
    def do(sql, **values):
        return bind.execute(text(sql), values)
    def say(sql):
        return bind.scalar(text("SELECT CAST((" + sql + ") AS text) FROM books WHERE id = 1"))
"""
# What is done, a question about the book, and the answer.
HABITS = [
    ('do("UPDATE books SET pages = :n", n="7")', "pages", "7"),
    ('do("UPDATE books SET pages = 8 WHERE id = :n", n="1")', "pages", "8"),
    ('do("UPDATE books SET out = :n, at = :n", n="2020-02-02")', "out", "2020-02-02"),
    ('do("UPDATE books SET out = out - INTERVAL :n", n="2 days")', "out", "2020-01-31"),
    ('do("UPDATE books SET took = :n", n="1 day")', "took", "1 day"),
    ('do("UPDATE books SET took = :n", n=datetime.timedelta(hours=2))', "took", "02:00:00"),
    ('do("UPDATE books SET price = :n", n=decimal.Decimal("1.50"))', "price", "1.50"),
    ('do("UPDATE books SET kind = :k", k="verse")', "kind", "verse"),
    ('bind.execute(books.update().where(books.c.kind == "verse").values(kind="prose"))', "kind", "prose"),
    ('bind.execute(books.update().where(books.c.kind.in_(["prose"])).values(pages="12"))', "pages", "12"),
    ('op.bulk_insert(books, [{"id": "2", "kind": "verse", "pages": "4"}])', "SELECT sum(pages) FROM books", "16"),
    ('do("UPDATE books SET facts = :f", f=\'{"b": 2}\')', "facts", '{"b": 2}'),
    ('assert do("SELECT facts FROM books WHERE id = 1").scalar()["b"] == 2', "1", "1"),
    ('do("UPDATE books SET token = :t", t=str(uuid.UUID(int=3)))', "right(token::text, 1)", "3"),
    ('do("UPDATE books SET pages = 20 WHERE id IN :ids", ids=(1, "3"))', "pages", "20"),
    ('do("UPDATE books SET pages = 21 WHERE (id, name) IN :ids", ids=((1, "one"), (2, "it\'s")))', "pages", "21"),
    ('do("UPDATE books SET pages = 22 WHERE id = ANY(:ids)", ids=[1, 3])', "pages", "22"),
    ('do("UPDATE books SET tags = :t", t=["a", "b\'c"])', "tags", "{a,b'c}"),
    ('do("UPDATE books SET tags = array_append(tags, :t)", t="x")', "tags", "{a,b'c,x}"),
    ('do("UPDATE books SET pages = 23 WHERE (:n IS NULL OR name = :n)", n=None)', "pages", "23"),
    ('do("UPDATE books SET name = name || :s", s=5)', "name", "one5"),
    ('do("UPDATE books SET name = :n", n="it\'s 100% \\\\ %s :x")', "name", "it's 100% \\ %s :x"),
    ("bind.exec_driver_sql(\"UPDATE books SET name = '50%%'\")", "name", "50%"),
    ("bind.execute(text(\"UPDATE books SET name = '60%'\"))", "name", "60%"),
    ('bind.exec_driver_sql("UPDATE books SET name = %s WHERE id = %s", ("x", "1"))', "name", "x"),
    ('bind.exec_driver_sql("UPDATE books SET pages = %(n)s; UPDATE books SET name = %(n)s", {"n": "5"})', "name", "5"),
    ('bind.exec_driver_sql("UPDATE books SET pages = %s; UPDATE books SET name = %s", (3, 6))', "pages || name", "36"),
    ('assert do("UPDATE books SET pages = :n; SELECT count(*) FROM books", n=9).scalar() == 2', "pages", "9"),
    ('do("UPDATE books SET pages = 1; SELECT 1; UPDATE books SET pages = 2")', "pages", "2"),
    ('do("UPDATE books SET raw = :b", b=b"\\x00\\xff")', "raw", "\\x00ff"),
    ('assert do("SELECT ip FROM books WHERE id = 1").scalar() == "10.0.0.1"', "ip", "10.0.0.1/32"),
    ('c = bind.connection.cursor(); c.execute("UPDATE books SET pages = %s", ("3",)); c.close()', "pages", "3"),
    ('c = bind.connection.driver_connection.cursor(); c.execute("UPDATE books SET pages = 31")', "pages", "31"),
    ('c = bind.connection.cursor(); c.execute(c.mogrify("UPDATE books SET pages = %s", ("32",)))', "pages", "32"),
    ('c = raw.cursor(); c.copy_expert("COPY books (id, pages) FROM STDIN", io.StringIO("8\\t33\\n"))', "1", "1"),
    ('c = raw.cursor(); c.copy_from(io.BytesIO(b"9;34\\n"), "books", sep=";", columns=("id", "pages"))', "1", "1"),
    ('f = io.StringIO(); raw.cursor().copy_to(f, "books", columns=["pages"]); assert "34" in f.getvalue()', "1", "1"),
    (
        'c = raw.cursor(cursor_factory=RealDictCursor); c.execute("SELECT 5 n"); assert c.fetchone()["n"] == 5',
        "1",
        "1",
    ),
    ('do("DELETE FROM books WHERE pages IN (33, 34)")', "SELECT count(*) FROM books", "2"),
    ("assert isinstance(bind.dialect, PGDialect_psycopg2) and isinstance(bind.dialect, postgresql.dialect)", "1", "1"),
    ('s = Session(bind=bind); s.execute(text("UPDATE books SET pages = :p"), {"p": "4"}); s.commit()', "pages", "4"),
    ("assert bind.engine.name == 'postgresql' and bind.dialect.driver == 'psycopg2'", "1", "1"),
    ("with bind.engine.connect() as other: other.execute(text('SELECT 1; SELECT 2'))", "1", "1"),
    ("i = sa.inspect(bind); assert 'books' in i.get_table_names() and i.get_columns('books')", "1", "1"),
    ("r = bind.execution_options(stream_results=False).execute(text('SELECT id FROM books')).all()", "1", "1"),
]
WITH_CODE = """
    try:
        with bind.begin_nested():
            op.execute("CREATE TABLE books (id int)")
    except sa.exc.ProgrammingError as error:
        assert error.orig.pgcode == "42P07"
"""


@pytest.mark.parametrize("driver", ["", "+psycopg2"])
def test_what_psycopg2_carries_out_is_carried_out(project: Project, database: str, driver: str) -> None:
    with psycopg.connect(database, autocommit=True) as session:
        session.execute(BOOKS)
    lines = [f"    {code}\n    assert say({query!r}) == {answer!r}, say({query!r})" for code, query, answer in HABITS]
    project.revision("001_habits", upgrade="\n".join([IMPORTS.strip(), *lines, WITH_CODE]))
    project.alembic(database.replace("postgresql:", f"postgresql{driver}:"), "upgrade", "head")


THEIRS = """from psycopg2 import errors, extensions, extras, sql
    bind = op.get_bind()
    cursor = bind.connection.cursor()
    extras.execute_values(cursor, "INSERT INTO books (id, name) VALUES %s", [(7, "it's 5%"), (8, "b")])
    extras.execute_batch(cursor, "UPDATE books SET pages = %s WHERE id = %s", [("7", 7), (8, 8)])
    cursor.execute(sql.SQL("UPDATE {} SET took = {}").format(sql.Identifier("books"), sql.Literal("1 day")))
    bind.execute(sa.text("UPDATE books SET facts = :f WHERE id > 6"), {"f": extras.Json({"k": "ü"})})
    bind.execute(sa.text("UPDATE books SET kind = :k"), {"k": extensions.AsIs("'verse'")})
    try:
        with bind.begin_nested():
            bind.execute(sa.text("SELECT FROM nowhere"))
    except sa.exc.ProgrammingError as error:
        assert isinstance(error.orig, errors.UndefinedTable)
"""


def test_what_psycopg2_itself_brings_is_understood(project: Project, database: str) -> None:
    pytest.importorskip("psycopg2")
    with psycopg.connect(database, autocommit=True) as session:
        session.execute(BOOKS)
        project.revision("001_a", upgrade=THEIRS)
        project.alembic(database, "upgrade", "head")
        found = session.execute("SELECT name, pages, facts ->> 'k', kind::text FROM books WHERE id > 6 ORDER BY id")
        assert found.fetchall() == [("it's 5%", 7, "ü", "verse"), ("b", 8, "ü", "verse")]


def test_what_is_missing_is_said(project: Project, database: str) -> None:
    path = project.revision("001_a")
    path.write_text(
        path.read_text().replace("import sqlalchemy", "from psycopg2x.extras import Json\nimport sqlalchemy")
    )
    code, stderr = project.alembic.refused(database, "upgrade", "head")
    assert (code, "No module named 'psycopg2x'\nInstall it, or correct the file" in stderr) == (14, True), stderr


SEVERAL = """op.execute(sa.text('''
        ALTER TABLE books ADD COLUMN note text; -- ; none
        UPDATE books SET note = 'a;b', pages = :pages;
        CREATE FUNCTION one() RETURNS int LANGUAGE sql BEGIN ATOMIC SELECT 1; SELECT 1; END;
        CREATE INDEX ix ON books (note);
        ALTER TABLE books ALTER COLUMN note SET NOT NULL;
    ''').bindparams(pages=3))"""


@pytest.mark.parametrize("driver", ["", "+asyncpg", "+psycopg"])
def test_each_of_several_statements_is_run_by_itself(project: Project, database: str, driver: str) -> None:
    with psycopg.connect(database, autocommit=True) as session:
        session.execute(BOOKS)
        project.revision("001_a", upgrade=SEVERAL)
        url = database.replace("postgresql:", f"postgresql{driver}:")
        large = project.alembic.having(MIGRATION_SMALL_TABLE_BYTES="0")
        assert "Nothing to do" not in large(url, "upgrade", "head")
        assert session.execute("SELECT pages, note, one() FROM books").fetchall() == [(3, "a;b", 1)]
        assert session.execute("SELECT attnotnull FROM pg_attribute WHERE attname = 'note'").fetchone() == (True,)


def test_a_script_has_each_of_several_statements_by_itself(project: Project) -> None:
    project.revision("001_a", upgrade=SEVERAL)
    script = project.alembic("postgresql://nobody@127.0.0.1:9/nowhere", "upgrade", "head", "--sql")
    assert "CREATE INDEX CONCURRENTLY ix ON books (note);" in script
    assert "SELECT 1; SELECT 1; END;" in script
    assert "pages = 3;" in script


def test_a_percent_sign_in_a_name_is_one_to_whoever_waits_for_the_table(project: Project, database: str) -> None:
    with psycopg.connect(database) as holder:
        holder.execute('CREATE TABLE "100 %" (a int)')
        holder.commit()
        holder.execute('SELECT FROM "100 %"')
        project.revision("001_a", upgrade="op.execute('''-- so\n    ALTER TABLE \"100 %\" ADD COLUMN b int''')")
        hurried = project.alembic.having(MIGRATION_TOTAL_LOCK_TIMEOUT="0.3")
        code, stderr = hurried.refused(database, "upgrade", "head")
    assert (code, '"100 %" ' in stderr) == (17, True), stderr


def test_a_table_with_a_percent_sign_is_locked_by_its_name(project: Project, database: str) -> None:
    with psycopg.connect(database, autocommit=True) as session:
        session.execute('CREATE TABLE "100 %" (a int)')
        project.revision("001_a", upgrade="op.execute('ALTER TABLE \"100 %\" ADD COLUMN b int')")
        project.alembic(database, "upgrade", "head")
        assert session.execute('SELECT b FROM "100 %"').fetchall() == []
