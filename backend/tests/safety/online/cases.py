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


INDEXES = [
    Case("an index", 'op.create_index("ix_a", "books", ["title"])', 'op.drop_index("ix_a", table_name="books")'),
    Case("an index, its table not named", 'op.create_index("ix_a", "books", ["title"])', 'op.drop_index("ix_a")'),
    Case(
        "a unique index that covers, with a condition",
        'op.create_index("ix_a", "books", ["title"], unique=True, postgresql_include=["pages"],'
        " postgresql_where=sa.text(\"title LIKE 'title%' AND pages::text <> ':x'\"))",
        'op.drop_index("ix_a", "books")',
    ),
    Case(
        "an index on expressions",
        'op.create_index("ix_a", "books", [sa.text("lower(title)"), sa.column("pages").desc()])',
        'op.drop_index("ix_a", "books")',
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
ALL = [*INDEXES, *VECTORS]
