"""Several operations of one revision that make the same statements, or leave what another began: none is mistaken."""

import pytest

from tests.alembic_online.project import Project
from tests.alembic_online.recipes.cases import BOOKS, Case
from tests.alembic_online.recipes.conftest import Direct, both_ways_converge, both_ways_end_as_directly
from tests.longer_proofs import every

KEYED = BOOKS + "ALTER TABLE books ADD PRIMARY KEY (id);"
LONG = "a_table_with_the_longest_name_that_postgresql_lets_a_table_have"[:62]
PLACE = 'sa.Column("Place %", {}, nullable=False, server_default=sa.text("{}"))'
COLUMN = f"""op.add_column("books", {PLACE.format("sa.Uuid", "gen_random_uuid()")})
    op.drop_column("books", "Place %")
    op.add_column("books", {PLACE.format("sa.Integer", "length(random()::text) * 0")})"""
EVERYTHING = (
    'op.alter_column("books", "{}", new_column_name="{}", type_=sa.{}, nullable={}, server_default={}, comment={})'
)
CASES = [
    Case("a column that is added, dropped and added again", COLUMN, 'op.drop_column("books", "Place %")', KEYED),
    Case(
        "a key whose column gets another type before it goes",
        'op.alter_column("books", "id", type_=sa.BigInteger)\n    op.drop_constraint("fk_self", "books")',
        'op.create_foreign_key("fk_self", "books", "books", ["pages"], ["id"])\n'
        '    op.alter_column("books", "id", type_=sa.Integer)',
        KEYED + "ALTER TABLE books ADD CONSTRAINT fk_self FOREIGN KEY (pages) REFERENCES books",
    ),
    Case(
        "the types of both ends of a foreign key",
        'op.alter_column("authors", "id", type_=sa.BigInteger)\n'
        '    op.alter_column("books", "author_id", type_=sa.BigInteger)',
        'op.alter_column("books", "author_id", type_=sa.Integer)\n'
        '    op.alter_column("authors", "id", type_=sa.Integer)',
        KEYED + "ALTER TABLE books ADD CONSTRAINT fk FOREIGN KEY (author_id) REFERENCES authors ON DELETE CASCADE",
    ),
    Case(
        "a type changed there and on",
        'op.alter_column("books", "pages", type_=sa.BigInteger)\n    op.alter_column("books", "pages", type_=sa.Float)',
        'op.alter_column("books", "pages", type_=sa.BigInteger)\n'
        '    op.alter_column("books", "pages", type_=sa.Integer)',
        KEYED,
    ),
    Case(
        "two tables whose names begin alike for as long as names can be",
        f'op.alter_column("{LONG}1", "n", type_=sa.BigInteger)\n'
        f'    op.alter_column("{LONG}2", "n", type_=sa.BigInteger)',
        f'op.alter_column("{LONG}1", "n", type_=sa.Integer)\n    op.alter_column("{LONG}2", "n", type_=sa.Integer)',
        "".join(
            f"CREATE TABLE {LONG}{n} (id integer PRIMARY KEY, n integer UNIQUE);"
            f"INSERT INTO {LONG}{n} SELECT i, i FROM generate_series(1, 50) i;"
            for n in (1, 2)
        ),
    ),
    Case(
        "everything of a column at once",
        EVERYTHING.format("pages", "leaves", "BigInteger", "False", '"7"', '"it\'s"'),
        EVERYTHING.format("leaves", "pages", "Integer", "True", "None", "None"),
        KEYED,
    ),
    Case(
        "an index dropped and made with another shape, twice",
        'op.drop_index("ix_a"); op.create_index("ix_a", "books", ["pages"]);'
        ' op.drop_index("ix_a"); op.create_index("ix_a", "books", ["pages", "title"])',
        'op.drop_index("ix_a"); op.create_index("ix_a", "books", ["title"])',
        KEYED + "CREATE INDEX ix_a ON books (title)",
    ),
    Case(
        "rows between, read and written",
        't = sa.table("authors", sa.column("id"), sa.column("name"))\n'
        '    op.bulk_insert(t, [{"id": 100 + n, "name": "n"} for n in range(5)])\n'
        '    op.create_index("ix_n", "authors", ["name"])\n'
        "    for row in op.get_bind().execute(sa.select(t).where(t.c.id > 101)).all():\n"
        '        op.get_bind().execute(t.update().where(t.c.id == row.id).values(name="m"))\n'
        '    op.create_index("ix_m", "authors", ["name", "id"])',
        'op.drop_index("ix_m"); op.drop_index("ix_n"); op.execute("DELETE FROM authors WHERE id >= 100")',
        KEYED,
    ),
]
some = pytest.mark.parametrize("case", every(len(CASES), CASES))


@pytest.mark.prove
@some
def test_it_converges_though_its_session_ends_around_every_step(
    project: Project, database: str, case: Case, directly: Direct
) -> None:
    both_ways_converge(project, database, case, directly)


@some
def test_it_ends_as_the_direct_way_does(project: Project, database: str, case: Case, directly: Direct) -> None:
    both_ways_end_as_directly(project, database, case, directly)
