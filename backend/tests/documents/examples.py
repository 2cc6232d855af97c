"""Each operation with an online way, by example: a line as a revision has it, and what is promised of it."""

from dataclasses import dataclass
from textwrap import dedent

TABLES = """
    CREATE TABLE authors (id integer PRIMARY KEY, name text);
    INSERT INTO authors SELECT i, 'author ' || i FROM generate_series(1, 50) i;
    CREATE TABLE books (
        id integer PRIMARY KEY, author_id integer NOT NULL, title text, pages integer NOT NULL, isbn text
    );
    INSERT INTO books SELECT i, i % 50 + 1, 'title ' || i, i FROM generate_series(1, 300) i;
    CREATE INDEX ix_books_author ON books (author_id);
    CREATE TABLE shelves (id integer NOT NULL, name text);
    INSERT INTO shelves SELECT i, 'shelf ' || i FROM generate_series(1, 9) i;
    CREATE TYPE mood AS ENUM ('calm');
    CREATE TABLE reviews (id integer PRIMARY KEY,
        book_id integer CONSTRAINT reviews_book_id_fkey REFERENCES books NOT ENFORCED);
    CREATE TABLE sales (id integer, year integer) PARTITION BY LIST (year);
    CREATE TABLE sales_rest PARTITION OF sales DEFAULT;
    CREATE TABLE sales_2026 (id integer, year integer);
    INSERT INTO sales SELECT i, 2020 + i % 5 FROM generate_series(1, 99) i;
"""
"""What is there before: none of the examples needs another."""


@dataclass(frozen=True)
class Example:
    """One operation."""

    title: str
    module: str
    """The recipe, whose docstring says how and why."""
    upgrade: str
    downgrade: str = ""
    notes: str = ""
    """What its page says beside, in Markdown."""

    @property
    def words(self) -> str:
        """The notes without the indentation that they have here."""
        return dedent(self.notes).strip()


EXAMPLES = (
    Example(
        "Create an index",
        "create_index",
        'op.create_index("ix_books_title", "books", ["title"])',
        'op.drop_index("ix_books_title", "books")',
        """
        Memory and workers are set for the build, and an estimate is logged.
        An index on an expression gets its statistics at once.
        On a partitioned table each partition gets its index by itself.
        Where an index is dropped and created under one name, the old one serves until the new one is there.
        A replica identity goes over to the new index.
        """,
    ),
    Example(
        "Drop an index",
        "create_index",
        'op.drop_index("ix_books_author", "books")',
        'op.create_index("ix_books_author", "books", ["author_id"])',
    ),
    Example(
        "Create a foreign key",
        "create_foreign_key",
        'op.create_foreign_key("fk_books_author", "books", "authors", ["author_id"], ["id"])',
        'op.drop_constraint("fk_books_author", "books")',
    ),
    Example(
        "Create a check constraint",
        "create_check_constraint",
        'op.create_check_constraint("ck_books_pages", "books", "pages > 0")',
        'op.drop_constraint("ck_books_pages", "books")',
    ),
    Example(
        "Set NOT NULL",
        "set_not_null",
        'op.alter_column("books", "title", nullable=False)',
        'op.alter_column("books", "title", nullable=True)',
        """
        Shown is PostgreSQL 18.
        A NOT NULL that is there NOT VALID, of the table or of a partition, is validated.
        """,
    ),
    Example(
        "Create a unique constraint",
        "create_unique_constraint",
        'op.create_unique_constraint("uq_books_isbn", "books", ["isbn"])',
        'op.drop_constraint("uq_books_isbn", "books")',
    ),
    Example(
        "Create a primary key",
        "create_unique_constraint",
        'op.create_primary_key("pk_shelves", "shelves", ["id"])',
        'op.drop_constraint("pk_shelves", "shelves")',
    ),
    Example(
        "Create an exclusion constraint",
        "create_exclude_constraint",
        "",
        "",
        """
        It is refused on a table that is in use.
        A revision that has to do it says `direct = {"books": "why it may"}`.
        """,
    ),
    Example(
        "Add a column",
        "add_column",
        'op.add_column("books", sa.Column("language", sa.Text, server_default="en", nullable=False))',
        'op.drop_column("books", "language")',
    ),
    Example(
        "Add a column with a volatile default",
        "add_column",
        'op.add_column("books", sa.Column("token", sa.Uuid, server_default=sa.func.gen_random_uuid(), nullable=False))',
        'op.drop_column("books", "token")',
    ),
    Example(
        "Add an identity column",
        "identity_column",
        'op.add_column("shelves", sa.Column("number", sa.Integer, sa.Identity(), nullable=False))',
        'op.drop_column("shelves", "number")',
        "A serial takes the same way. The sequence of the identity goes on after the numbers that the old rows got.",
    ),
    Example(
        "Add a stored generated column",
        "rewriting_defaults",
        'op.add_column("books", sa.Column("twice", sa.Integer, sa.Computed("pages * 2", persisted=True)))',
        'op.drop_column("books", "twice")',
        """
        A new table takes the place of the old one: see [shadow tables](../explanation/shadow.md#shadow-tables).
        `SET EXPRESSION` of such a column takes the same way.
        So does a new type of a column that it reads, and a column of a domain that has a rule.
        """,
    ),
    Example(
        "Change the type of a column, for free",
        "alter_column_type",
        'op.alter_column("books", "isbn", type_=sa.String())',
        'op.alter_column("books", "isbn", type_=sa.Text())',
        "The planner gets new statistics afterwards.",
    ),
    Example(
        "Change the type of a column, with a rewrite",
        "",
        'op.alter_column("books", "pages", type_=sa.BigInteger())',
        'op.alter_column("books", "pages", type_=sa.Integer())',
        """
        A new column takes the place of the old one: see [shadow columns](../explanation/shadow.md#shadow-columns).
        [What is refused](refused.md) names the few cases that have no such way.
        """,
    ),
    Example(
        "Enforce a foreign key",
        "enforce_constraint",
        'op.execute("ALTER TABLE reviews ALTER CONSTRAINT reviews_book_id_fkey ENFORCED")',
        'op.execute("ALTER TABLE reviews ALTER CONSTRAINT reviews_book_id_fkey NOT ENFORCED")',
    ),
    Example(
        "Attach a partition",
        "attach_partition",
        'op.execute("ALTER TABLE sales ATTACH PARTITION sales_2026 FOR VALUES IN (2022)")',
        'op.execute("ALTER TABLE sales DETACH PARTITION sales_2026")',
        """
        Up to a thousand rows that lie in the default partition go over in the same transaction.
        More of them, or rows on which foreign keys or triggers hang, are named before anything is changed.
        """,
    ),
    Example(
        "Add a label to an enum",
        "",
        "op.execute(\"ALTER TYPE mood ADD VALUE 'merry'\")",
        "op.execute(\"ALTER TYPE mood RENAME VALUE 'merry' TO 'glad'\")",
        """
        PostgreSQL refuses the label until it is committed, unless the type is new too.
        So it is committed by itself, and the next line can use it.
        """,
    ),
    Example(
        "Drop a column",
        "",
        'op.drop_column("books", "isbn")',
        'op.add_column("books", sa.Column("isbn", sa.Text))',
        "`drop_table`, `drop_constraint` and renames are instant as well: a strong lock for an instant, and no scan.",
    ),
)
