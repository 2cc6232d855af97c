"""Changes of tables in use, as anybody would write them: what is there before, and the two directions."""

from dataclasses import dataclass

BOOKS = """
    CREATE TABLE authors (id integer PRIMARY KEY, name text);
    INSERT INTO authors SELECT i, 'author ' || i FROM generate_series(1, 50) i;
    CREATE TABLE books (id integer NOT NULL, author_id integer, title text, pages integer, "Long Name" text);
    INSERT INTO books SELECT i, i % 50 + 1, 'title ' || i, i FROM generate_series(1, 300) i;
"""
LOGS = """
    CREATE TABLE logs (id integer, day integer, line text) PARTITION BY RANGE (id);
    CREATE TABLE logs_1 PARTITION OF logs FOR VALUES FROM (1) TO (9);
    CREATE TABLE logs_2 PARTITION OF logs FOR VALUES FROM (9) TO (99) PARTITION BY RANGE (id);
    CREATE TABLE "logs 3" PARTITION OF logs_2 FOR VALUES FROM (9) TO (50);
    CREATE TABLE logs_4 PARTITION OF logs_2 FOR VALUES FROM (50) TO (99);
    INSERT INTO logs SELECT i, i, 'line ' || i FROM generate_series(1, 98) i;
"""


@dataclass(frozen=True)
class Case:
    """One change."""

    name: str
    upgrade: str
    downgrade: str
    before: str = BOOKS
    """SQL that makes what is changed."""

    @property
    def asks_the_catalogue(self) -> bool:
        """Whether the steps depend on what only the database knows."""
        return self.before.startswith(LOGS)

    def __str__(self) -> str:
        return self.name


TRIGGERS = """
    ALTER TABLE books ADD touched integer NOT NULL DEFAULT 0, ADD PRIMARY KEY (id);
    CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        NEW.touched = OLD.touched + 1;
        RETURN NEW;
    END $$;
    CREATE TRIGGER touching BEFORE UPDATE ON books FOR EACH ROW EXECUTE FUNCTION touch();
    CREATE TABLE audit (id integer);
    CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        INSERT INTO audit VALUES (NEW.id);
        RETURN NULL;
    END $$;
    CREATE TRIGGER noting AFTER INSERT OR UPDATE ON books FOR EACH ROW EXECUTE FUNCTION note();
"""


INDEXES = [
    Case("an index", 'op.create_index("ix_a", "books", ["title"])', 'op.drop_index("ix_a", table_name="books")'),
    Case("an index, its table not named", 'op.create_index("ix_a", "books", ["title"])', 'op.drop_index("ix_a")'),
    Case(
        "a unique index that covers, with a condition",
        'op.create_index("ix_a", "books", ["title"], unique=True, postgresql_include=["pages"],'
        " postgresql_where=sa.text(\"title LIKE 'title%' AND pages::text <> '\\\\:x'\"))",
        'op.drop_index("ix_a", "books")',
    ),
    Case(
        "an index on expressions",
        'op.create_index("ix_a", "books", [sa.text("lower(title)"), sa.column("pages").desc()])',
        'op.drop_index("ix_a", "books")',
    ),
    Case(
        "a unique index in an order, written as text, in a block of the revision's own",
        "with op.get_context().autocommit_block():\n"
        '        op.create_index("ix_a", "books", [sa.text("title text_pattern_ops DESC")], unique=True,'
        " postgresql_concurrently=True)",
        "with op.get_context().autocommit_block():\n"
        '        op.drop_index("ix_a", "books", postgresql_concurrently=True, if_exists=True)',
    ),
    Case(
        "an index replaced",
        'op.drop_index("ix_a", "books")\n    op.create_index("ix_a", "books", ["title", "pages"])',
        'op.drop_index("ix_a", "books")\n    op.create_index("ix_a", "books", ["title"], unique=True)',
        BOOKS + "CREATE UNIQUE INDEX ix_a ON books (title)",
    ),
    Case(
        "indexes in a schema, with names that need quotes",
        'op.create_index("Ix A", "Old Books", ["A"], schema="arc hive")',
        'op.drop_index("Ix A", "Old Books", schema="arc hive")',
        'CREATE SCHEMA "arc hive"; CREATE TABLE "arc hive"."Old Books" ("A" integer);'
        ' INSERT INTO "arc hive"."Old Books" VALUES (1)',
    ),
    Case("an index on partitions", 'op.create_index("ix_a", "logs", ["day"])', 'op.drop_index("ix_a", "logs")', LOGS),
    Case(
        "an index on partitions replaced",
        'op.drop_index("ix_a", "logs")\n    op.create_index("ix_a", "logs", ["day", sa.text("lower(line)")])',
        'op.drop_index("ix_a", "logs")\n    op.create_index("ix_a", "logs", ["day"])',
        LOGS + "CREATE INDEX ix_a ON logs (day)",
    ),
    Case(
        "an index on partitions, one of them a foreign table",
        'op.create_index("ix_a", "logs", ["day"])',
        'op.drop_index("ix_a", "logs")',
        LOGS + "CREATE FOREIGN DATA WRAPPER w; CREATE SERVER elsewhere FOREIGN DATA WRAPPER w;"
        "CREATE FOREIGN TABLE far PARTITION OF logs FOR VALUES FROM (99) TO (200) SERVER elsewhere",
    ),
]
# What LOCK TABLE refuses is changed all the same.
FOREIGN = "CREATE FOREIGN DATA WRAPPER w; CREATE SERVER away FOREIGN DATA WRAPPER w; CREATE FOREIGN TABLE far (id int)"
NO_TABLES = [
    Case(
        "an index on a materialized view",
        'op.create_index("ix_a", "shown", ["title"])',
        'op.drop_index("ix_a", "shown")',
        BOOKS + "CREATE MATERIALIZED VIEW shown AS SELECT * FROM books",
    ),
    Case(
        "a column of a foreign table",
        'op.add_column("far", sa.Column("title", sa.Text))',
        'op.execute("ALTER FOREIGN TABLE far DROP COLUMN title")',
        BOOKS + f"{FOREIGN} SERVER away",
    ),
]
VECTORS = [
    Case(
        f"an {method} index",
        f'op.create_index("ix_a", "chunks", ["v"], postgresql_using="{method}",'
        ' postgresql_ops={"v": "vector_cosine_ops"})',
        'op.drop_index("ix_a", "chunks")',
        "CREATE EXTENSION vector; CREATE TABLE chunks (v vector(3));"
        " INSERT INTO chunks SELECT ARRAY[i, 1, 1] FROM generate_series(1, 40) i",
    )
    for method in ("hnsw", "ivfflat")
]
CONSTRAINTS = [
    Case(
        "a foreign key",
        'op.create_foreign_key("fk_a", "books", "authors", ["author_id"], ["id"], ondelete="CASCADE")',
        'op.drop_constraint("fk_a", "books")',
    ),
    Case(
        "a foreign key without a name, to itself",
        'op.create_foreign_key(None, "authors", "authors", ["parent"], ["id"], deferrable=True, initially="DEFERRED")',
        'op.drop_constraint("authors_parent_fkey", "authors")',
        BOOKS + "ALTER TABLE authors ADD parent integer; UPDATE authors SET parent = 1 WHERE id > 9",
    ),
    Case(
        "foreign keys on partitions, and to them",
        'op.create_foreign_key("fk_a", "logs", "days", ["day"], ["id"])\n'
        '    op.create_foreign_key("fk_b", "days", "logs", ["id"], ["id"])',
        'op.drop_constraint("fk_a", "logs")\n    op.drop_constraint("fk_b", "days")',
        LOGS + "CREATE TABLE days (id integer PRIMARY KEY); INSERT INTO days SELECT generate_series(1, 98);"
        "ALTER TABLE logs ADD PRIMARY KEY (id)",
    ),
    Case(
        "a check",
        """op.create_check_constraint("ck_a", "books", sa.text("title LIKE 'title %' AND pages::text <> '\\\\:x'"))""",
        'op.drop_constraint("ck_a", "books", type_="check")',
    ),
    Case(
        "a check and a foreign key in a batch",
        'with op.batch_alter_table("books") as batch:\n'
        '        batch.create_check_constraint("ck_a", "pages > 0")\n'
        '        batch.create_foreign_key("fk_a", "authors", ["author_id"], ["id"])',
        'with op.batch_alter_table("books") as batch:\n'
        '        batch.drop_constraint("ck_a")\n'
        '        batch.drop_constraint("fk_a")',
    ),
    Case(
        "a check on partitions, without a name",
        'op.create_check_constraint(None, "logs", sa.column("day") > 0)',
        'op.drop_constraint("logs_day_check", "logs")',
        LOGS,
    ),
    Case(
        "not null",
        'op.alter_column("books", "Long Name", nullable=False)',
        'op.alter_column("books", "Long Name", nullable=True)',
        BOOKS + """UPDATE books SET "Long Name" = 'x'""",
    ),
    Case(
        "not null, where another column has the name of its constraint",
        'op.alter_column("books", "title", nullable=False)',
        'op.alter_column("books", "title", nullable=True)',
        BOOKS + "ALTER TABLE books ALTER title SET NOT NULL, ADD caption text; UPDATE books SET caption = '';"
        "ALTER TABLE books RENAME title TO heading; ALTER TABLE books RENAME caption TO title",
    ),
    Case(
        "not null on partitions, taken away and given back",
        'op.alter_column("logs", "line", nullable=True)',
        'op.alter_column("logs", "line", nullable=False)',
        LOGS + "ALTER TABLE logs ALTER line SET NOT NULL",
    ),
    Case(
        "a unique constraint",
        'op.create_unique_constraint("uq_a", "books", ["title", "Long Name"], postgresql_nulls_not_distinct=True)',
        'op.drop_constraint("uq_a", "books", type_="unique")',
    ),
    Case(
        "a unique constraint without a name, deferred",
        'op.create_unique_constraint(None, "books", ["title"], deferrable=True, initially="DEFERRED")',
        'op.drop_constraint("books_title_key", "books", type_="unique")',
    ),
    Case(
        "a primary key on columns that may be null, replaced on the way down",
        'op.create_primary_key("pk_a", "books", ["id", "pages"])',
        'op.drop_constraint("pk_a", "books")\n    op.create_primary_key(None, "books", ["title"])',
    ),
    Case(
        "a unique constraint on partitions",
        'op.create_unique_constraint("uq_a", "logs", ["id", "day"])',
        'op.drop_constraint("uq_a", "logs", type_="unique")',
        LOGS,
    ),
]
ANSWER = "CREATE FUNCTION answer() RETURNS integer LANGUAGE plpgsql VOLATILE AS 'BEGIN RETURN 42; END';" + BOOKS
COLUMNS = [
    Case(
        "a column with a constant default",
        'op.add_column("authors", sa.Column("born", sa.Integer, server_default="1900", nullable=False))',
        'op.drop_column("authors", "born")',
    ),
    Case(
        "a column with a volatile default",
        'op.add_column("authors", sa.Column("born", sa.Integer, server_default=sa.text("answer()"), nullable=False))',
        'op.drop_column("authors", "born")',
        ANSWER,
    ),
    Case(
        "a column with a volatile default that may be null, with a check and a comment",
        'op.add_column("authors", sa.Column("born", sa.Float, sa.CheckConstraint("born >= 0", "ck_a"),'
        ' comment="in its way", server_default=sa.text("answer() * 1.0")))',
        'op.drop_column("authors", "born")',
        ANSWER,
    ),
    Case(
        "a column with a default in Python",
        'op.add_column("authors", sa.Column("born", sa.String(20), default="it\'s 7% :x", nullable=False))',
        'op.drop_column("authors", "born")',
    ),
    Case(
        "a column with a foreign key and an index",
        'op.add_column("books", sa.Column("editor", sa.Integer, sa.ForeignKey("authors.id"), index=True))',
        'op.drop_column("books", "editor")',
    ),
    Case(
        "columns that are filled, and whose triggers are not to notice",
        'op.add_column("books", sa.Column("token", sa.Integer, server_default=sa.text("length(random()::text) * 0")))\n'
        '    op.alter_column("books", "pages", type_=sa.BigInteger)',
        'op.alter_column("books", "pages", type_=sa.Integer)\n    op.drop_column("books", "token")',
        BOOKS + TRIGGERS,
    ),
    Case(
        "a volatile default on partitions without a key",
        'op.add_column("logs", sa.Column("a", sa.Integer, server_default=sa.text("length(random()::text) * 0"),'
        " nullable=False))",
        'op.drop_column("logs", "a")',
        LOGS,
    ),
    Case(
        "types that are free",
        'op.alter_column("books", "code", type_=sa.Text, existing_type=sa.String(10))\n'
        '    op.alter_column("books", "price", type_=sa.Numeric(9, 2), nullable=False)',
        'op.alter_column("books", "code", type_=sa.String)',
        BOOKS + "ALTER TABLE books ADD code varchar(10) DEFAULT 'a', ADD price numeric(6, 2) DEFAULT 1;"
        "CREATE INDEX ix_books_code ON books (code)",
    ),
    Case(
        "a label of an enum, used at once",
        """op.execute("ALTER TYPE mood ADD VALUE 'merry'")\n    op.execute("INSERT INTO people VALUES ('merry')")""",
        """op.execute("ALTER TYPE mood RENAME VALUE 'merry' TO 'glad'")""",
        "CREATE TYPE mood AS ENUM ('calm'); CREATE TABLE people (mood mood); INSERT INTO people VALUES ('calm')",
    ),
]
BY_HAND = [
    Case(
        "indexes written by hand",
        'op.execute("CREATE UNIQUE INDEX ix_a ON books USING btree (title); -- for the list")',
        'op.execute("DROP INDEX IF EXISTS ix_a")',
    ),
    Case(
        "constraints written by hand",
        'op.execute("ALTER TABLE books ADD CONSTRAINT ck_a CHECK (pages > 0)")\n'
        '    op.execute("alter table books add constraint fk_a foreign key (author_id) references authors;")\n'
        '    op.execute("ALTER TABLE books ADD CONSTRAINT uq_a UNIQUE (title, \\"Long Name\\")")',
        'op.execute("ALTER TABLE books DROP CONSTRAINT ck_a, DROP CONSTRAINT fk_a, DROP CONSTRAINT uq_a")',
    ),
    Case(
        "keys written by hand",
        'op.execute("ALTER TABLE books ADD CONSTRAINT pk PRIMARY KEY (id) INCLUDE (\\"Long Name\\") DEFERRABLE")\n'
        '    op.execute("ALTER TABLE books ADD CONSTRAINT \\"U t\\" UNIQUE (Title) INITIALLY DEFERRED")\n'
        '    op.execute("ALTER TABLE ONLY public.books ADD UNIQUE NULLS NOT DISTINCT (\\"Long Name\\", id)")\n'
        '    op.execute("ALTER TABLE public.books ADD UNIQUE (pages) INCLUDE (id) NOT DEFERRABLE")',
        'op.execute("ALTER TABLE books DROP CONSTRAINT pk, DROP CONSTRAINT \\"U t\\"")\n'
        '    op.execute("ALTER TABLE books DROP CONSTRAINT \\"books_Long Name_id_key\\"")\n'
        '    op.execute("ALTER TABLE books DROP CONSTRAINT books_pages_id_key")',
    ),
    Case(
        "free types written by hand",
        'op.execute("ALTER TABLE books ALTER COLUMN Code SET DATA TYPE character varying (20) USING code")',
        'op.execute("ALTER TABLE public.books ALTER code TYPE text")',
        BOOKS + "ALTER TABLE books ADD code varchar(10) DEFAULT 'a'",
    ),
    Case(
        "not null written by hand",
        'op.execute("ALTER TABLE books ALTER COLUMN Title SET NOT NULL")',
        'op.execute("ALTER TABLE books ALTER title DROP NOT NULL")',
    ),
]
MOOD = """op.execute("ALTER TYPE mood RENAME TO mood_old")
    op.execute("CREATE TYPE mood AS ENUM ({labels})")
    op.alter_column("people", "mood", type_=sa.Enum({labels}, name="mood"), postgresql_using="mood::text::mood")
    op.execute("DROP TYPE mood_old")"""
LABELS = [
    Case(
        "a label of an enum taken away, by another type in its place",
        MOOD.format(labels="'calm'"),
        MOOD.format(labels="'calm', 'merry'"),
        "CREATE TYPE mood AS ENUM ('calm', 'merry'); CREATE TABLE people (id integer PRIMARY KEY, mood mood NOT NULL);"
        "INSERT INTO people SELECT i, 'calm' FROM generate_series(1, 40) i; CREATE INDEX ix_people ON people (mood)",
    ),
]
ALL = [*INDEXES, *NO_TABLES, *VECTORS, *CONSTRAINTS, *COLUMNS, *BY_HAND, *LABELS]
