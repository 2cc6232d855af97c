"""Defects that are planted into a sound project, one at a time: the second revision's text, or what stands beside it."""

from dataclasses import dataclass, field

IMPORTS = "from sqlalchemy import *\nfrom sqlalchemy import text as sql\n"
AUTHORS = 'Table("authors", metadata, Column("id", Integer, primary_key=True, autoincrement=False), {columns})\n'
NAME, EMAIL = 'Column("name", Text, nullable=False)', 'Column("email", Text)'
BOOKS = (
    'Table("books", metadata, Column("id", Integer, primary_key=True, autoincrement=False),'
    ' Column("author_id", Integer, ForeignKey("authors.id", name="fk_books_author"), nullable=False, index=True),'
    ' Column("title", Text, nullable=False), Column("price", Numeric, server_default="1"),'
    ' CheckConstraint("price >= 0", name="ck_books_price"))\n'
)
BASE = (
    'op.create_table("authors", sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),'
    ' sa.Column("name", sa.Text, nullable=False), sa.Column("email", sa.Text))\n'
    '    op.create_table("books", sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),'
    ' sa.Column("author_id", sa.Integer, sa.ForeignKey("authors.id", name="fk_books_author"), nullable=False),'
    ' sa.Column("title", sa.Text, nullable=False), sa.Column("price", sa.Numeric, server_default="1"),'
    ' sa.CheckConstraint("price >= 0", name="ck_books_price"))\n'
    '    op.create_index("ix_books_author_id", "books", ["author_id"])'
)
BASE_DOWN = 'op.drop_table("books")\n    op.drop_table("authors")'


def authors(*columns: str) -> str:
    """The models with these columns of authors beside the id."""
    return IMPORTS + AUTHORS.format(columns=", ".join(columns)) + BOOKS


MODELS = authors(NAME, EMAIL)
NICKED = authors(NAME, EMAIL, 'Column("nickname", Text)')
ADD, DROP = 'op.add_column("authors", sa.Column("nickname", sa.Text))', 'op.drop_column("authors", "nickname")'


@dataclass(frozen=True)
class Defect:
    """What is wrong, and the second revision that has it; `models` are right unless they are what is wrong."""

    what: str
    up: str = "pass"
    down: str = "pass"
    models: str = MODELS
    number: str = "002"
    head: str = "001_base"
    top: str = ""
    """A line above the upgrade."""
    first: str = ""
    """A line before what the first revision does."""
    files: dict[str, str] = field(default_factory=dict)
    deleted: bool = False
    """Whether the second revision is gone again."""
    landed: str = ""
    """What the upgrade was when it landed on git's main branch; empty where there is no git."""


def sql(statement: str) -> str:
    """A line of a revision."""
    return f"op.execute({statement!r})"


def forgotten(what: str, statement: str, models: str = MODELS) -> Defect:
    """Made by the upgrade, left by the downgrade."""
    return Defect(f"downgrade forgets {what}", sql(statement), models=models)


FUNCTION = "CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'"
SEED = "INSERT INTO authors (id, name) VALUES (100001, {})"

DEFECTS = [
    forgotten("a column", "ALTER TABLE authors ADD nickname text", NICKED),
    forgotten("an index", "CREATE INDEX ix_title ON books (title)", MODELS + 'Index("ix_title", metadata.tables["books"].c.title)'),
    forgotten("an enum type", "CREATE TYPE mood AS ENUM ('a', 'b')"),
    forgotten("an extension", "CREATE EXTENSION vector"),
    Defect("downgrade forgets a trigger's function", f"{sql(FUNCTION)}", "pass"),
    Defect(
        "downgrade forgets a trigger",
        f"{sql(FUNCTION)}\n    {sql('CREATE TRIGGER t BEFORE INSERT ON books FOR EACH ROW EXECUTE FUNCTION f()')}",
        "pass",
    ),
    forgotten("a comment", "COMMENT ON TABLE books IS 'what people read'"),
    forgotten("a view", "CREATE VIEW cheap AS SELECT id FROM books WHERE price < 5"),
    forgotten("a materialized view", "CREATE MATERIALIZED VIEW cheap AS SELECT id FROM books WHERE price < 5"),
    forgotten("a sequence", "CREATE SEQUENCE numbers"),
    forgotten("a CHECK", "ALTER TABLE books ADD CONSTRAINT ck_title CHECK (title <> '-')"),
    forgotten("a foreign key", "ALTER TABLE authors ADD CONSTRAINT fk_self FOREIGN KEY (id) REFERENCES authors"),
    forgotten("a default", "ALTER TABLE books ALTER title SET DEFAULT 'untitled'"),
    forgotten("a NOT NULL that was dropped", "ALTER TABLE books ALTER title DROP NOT NULL"),
    forgotten("a change of type", "ALTER TABLE books ALTER title TYPE varchar(90)"),
    forgotten("a rename of an index", "ALTER INDEX ix_books_author_id RENAME TO ix_other"),
    forgotten("a privilege", "GRANT SELECT ON books TO PUBLIC"),
    forgotten("row security", "ALTER TABLE books ENABLE ROW LEVEL SECURITY"),
    forgotten("a policy", "CREATE POLICY mine ON books USING (id > 0)"),
    forgotten("a domain", "CREATE DOMAIN isbn AS text CHECK (VALUE <> '')"),
    forgotten("a schema", "CREATE SCHEMA archive"),
    forgotten("a storage option", "ALTER TABLE books SET (fillfactor = 70)"),
    forgotten("a statistics object", "CREATE STATISTICS s ON id, price FROM books"),
    forgotten("a table", "CREATE TABLE drafts (id int PRIMARY KEY)"),
    forgotten("a partition", "CREATE TABLE p (id int) PARTITION BY RANGE (id)"),
    forgotten("what IF NOT EXISTS then hides", "CREATE TABLE IF NOT EXISTS drafts (id int PRIMARY KEY)"),
    Defect("downgrade forgets what OR REPLACE replaced", sql(FUNCTION.replace("CREATE", "CREATE OR REPLACE")), "pass"),
    Defect("downgrade brings another name back", ADD + '\n    op.drop_index("ix_books_author_id")',
           DROP + '\n    op.create_index("ix_author", "books", ["author_id"])', NICKED),
    Defect("downgrade raises", ADD, 'raise NotImplementedError("no way back")', NICKED),
    Defect("downgrade in the wrong order", "op.execute('CREATE TYPE mood AS ENUM (1)'.replace('1', chr(39) + 'a' + chr(39)))\n    "
           + sql("ALTER TABLE authors ADD mood mood"), sql("DROP TYPE mood") + "\n    " + sql("ALTER TABLE authors DROP mood")),
    Defect("downgrade drops another column", ADD, 'op.drop_column("authors", "email")', NICKED),
    Defect("downgrade guesses the name PostgreSQL gave", sql("ALTER TABLE books ADD CHECK (price < 1e9)"),
           'op.drop_constraint("ck_books_price_1", "books")'),
    Defect("a column and its values are lost", 'op.drop_column("authors", "email")',
           'op.add_column("authors", sa.Column("email", sa.Text))', authors(NAME)),
    Defect("rows are deleted", sql("DELETE FROM books")),
    Defect("a table is rebuilt, empty", sql("CREATE TABLE copy (LIKE books INCLUDING ALL)") + "\n    " + sql("DROP TABLE copy")
           + "\n    " + sql("TRUNCATE books")),
    Defect("values are cut", sql("UPDATE books SET title = left(title, 1)")),
    Defect("values are swapped and not swapped back", sql("UPDATE authors SET name = upper(name) || '!'")),
    Defect("downgrade multiplies rows", "pass", sql("INSERT INTO authors SELECT id + 5000, name, email FROM authors")),
    Defect("NOT NULL on rows that hold NULL", sql("ALTER TABLE authors ALTER email SET NOT NULL"),
           sql("ALTER TABLE authors ALTER email DROP NOT NULL"), authors(NAME, EMAIL.replace("Text", "Text, nullable=False"))),
    Defect("works only on an empty table", sql("ALTER TABLE authors ADD nickname text NOT NULL"), DROP,
           authors(NAME, EMAIL, 'Column("nickname", Text, nullable=False)')),
    Defect("works only on a table with rows", 'op.get_bind().execute(sa.text("SELECT id FROM authors LIMIT 1")).scalar_one()'),
    Defect("UNIQUE on equal values", sql("ALTER TABLE authors ADD kind text DEFAULT 'a'") + "\n    "
           + sql("ALTER TABLE authors ADD CONSTRAINT uq_kind UNIQUE (kind)"), sql("ALTER TABLE authors DROP kind")),
    Defect("CHECK that rows break", sql("ALTER TABLE books ADD CONSTRAINT ck_long CHECK (length(title) > 500)"),
           sql("ALTER TABLE books DROP CONSTRAINT ck_long")),
    Defect("a constraint is left NOT VALID", sql("ALTER TABLE books ADD CONSTRAINT c CHECK (id > -1) NOT VALID"),
           sql("ALTER TABLE books DROP CONSTRAINT c")),
    Defect("downgrade fails on rows of the new kind", sql("ALTER TABLE books ALTER price DROP NOT NULL") + "\n    " + ADD,
           sql("ALTER TABLE authors ADD CONSTRAINT c CHECK (nickname IS NULL)") + "\n    " + DROP, NICKED),
    Defect("old code cannot insert", ADD + "\n    " + sql("UPDATE authors SET nickname = name") + "\n    "
           + sql("ALTER TABLE authors ALTER nickname SET NOT NULL"), DROP, authors(NAME, EMAIL, 'Column("nickname", Text, nullable=False)')),
    Defect("a column is renamed under old code", sql("ALTER TABLE authors RENAME email TO mail"),
           sql("ALTER TABLE authors RENAME mail TO email"), authors(NAME, EMAIL.replace("email", "mail"))),
    Defect("a table is renamed under old code", sql("ALTER TABLE books RENAME TO volumes"),
           sql("ALTER TABLE volumes RENAME TO books"), MODELS.replace('Table("books"', 'Table("volumes"').replace("index=True", 'index=False')),
    Defect("a random value", "import random\n    op.execute(f'" + SEED.format("random.random()").replace("random.random()", "{random.random()}") + "')",
           sql("DELETE FROM authors WHERE id = 100001")),
    Defect("a value of the clock", sql(SEED.format("clock_timestamp()::text")), sql("DELETE FROM authors WHERE id = 100001")),
    Defect("a moment in the way down", 'op.drop_column("authors", "email")',
           sql("ALTER TABLE authors ADD email text DEFAULT now()::text") + "\n    " + sql("ALTER TABLE authors ALTER email DROP DEFAULT"),
           authors(NAME), top='loses = ["authors.email"]'),
    Defect("needs what the revision before left in the process", 'op.add_column("authors", sa.Column(sa.left_here, sa.Text))', DROP, NICKED,
           first='sa.left_here = "nickname"'),
    Defect("the order of a set", "for name in {'a', 'b', 'c', 'd', 'e'}:\n        op.add_column('authors', sa.Column(name, sa.Text))",
           "for name in 'abcde':\n        op.drop_column('authors', name)",
           authors(NAME, EMAIL, *(f'Column("{name}", Text)' for name in "abcde"))),
    Defect("state in a module", "STATE = op.__dict__.setdefault('_kit_state', [])\n    STATE.append(1)\n    "
           "op.add_column('authors', sa.Column(f'c{len(STATE)}', sa.Text))", "op.drop_column('authors', f\"c{len(op._kit_state)}\")"),
    Defect("depends on the search_path", sql("ALTER TABLE public.authors ADD nickname text"), sql("ALTER TABLE public.authors DROP nickname"), NICKED),
    Defect("depends on the time zone", sql(SEED.format("('2026-01-01'::timestamptz)::timestamptz::text")),
           sql("DELETE FROM authors WHERE id = 100001")),
    Defect("needs a superuser", sql("SET LOCAL session_replication_role = replica")),
    Defect("offline it does something else", f"if not op.get_context().as_sql:\n        {ADD}", DROP, NICKED),
    Defect("cannot be written offline", "op.get_bind().execute(sa.text('SELECT 1')).scalar_one()"),
    Defect("two heads", files={"versions/002_b.py": "revision = '002_b'\ndown_revision = '001_base'\ndef upgrade(): pass\ndef downgrade(): pass\n"}),
    Defect("a gap in the numbers", number="004"),
    Defect("a model that no revision makes", models=NICKED),
    Defect("a model with another type", models=MODELS.replace('"title", Text', '"title", String(9)')),
    Defect("a model with another default", models=MODELS.replace('server_default="1"', 'server_default="2"')),
    Defect("a model with other nullability", models=MODELS.replace('"email", Text', '"email", Text, nullable=False')),
    Defect("a model without the constraint", models=MODELS.replace("price >= 0", "price >= 1")),
    Defect("a model in a file that env.py does not import", models="from kit_known import thing\n" + MODELS,
           files={"kit_known.py": "thing = 1\n", "kit_orphan.py": "class Orphan:\n    __tablename__ = 'orphans'\n"}),
    Defect("application code is imported", "from kit_application import NAME\n    op.add_column('authors', sa.Column(NAME, sa.Text))",
           DROP, NICKED, files={"kit_application.py": "NAME = 'nickname'\n"}),
    Defect("edited after it landed", ADD, DROP, NICKED, landed='op.add_column("authors", sa.Column("nickname", sa.String(9)))'),
    Defect("deleted after it landed", ADD, DROP, landed=ADD, deleted=True),
    Defect("a default is the moment of the import", ADD.replace("sa.Text", "sa.DateTime"), DROP,
           authors(NAME, EMAIL, 'Column("nickname", DateTime, default=__import__("datetime").datetime.now())')),
    Defect("a default is one list for all rows", ADD.replace("sa.Text", "sa.JSON"), DROP, authors(NAME, EMAIL, 'Column("nickname", JSON, default=[])')),
    Defect("a server default is the moment of the import",
           "import datetime\n    op.add_column('authors', sa.Column('nickname', sa.Text, server_default=str(datetime.datetime.now())))", DROP,
           authors(NAME, EMAIL, 'Column("nickname", Text, server_default=str(__import__("datetime").datetime.now()))')),
]  # fmt: skip
SOUND = Defect("(a sound project)", ADD, DROP, NICKED)
