"""Revisions as people write them, in one chain: what they do to definitions, and around them."""

# What it is, and its body; `bind` is the connection. A chain: each goes on from what those before it have left.
SECOND: list[tuple[str, str]] = [
    (
        "op.invoke, and the impl itself",
        """
from alembic.operations import ops

op.invoke(ops.AddColumnOp("tags", sa.Column("rank", sa.Integer(), nullable=True)))
op.invoke(ops.CreateIndexOp("ix_tags_rank", "tags", ["rank"]))
op.invoke(ops.ExecuteSQLOp("UPDATE tags SET rank = id"))
op.get_context().impl.alter_column("tags", "rank", nullable=False, existing_type=sa.Integer())
op.create_check_constraint("ck_rank", "tags", sa.column("rank") >= 0)
""",
    ),
    (
        "a table that is reflected, then changed",
        """
meta = sa.MetaData()
orders = sa.Table("orders", meta, autoload_with=bind)
op.add_column("orders", sa.Column("total_cents", sa.BigInteger()))
orders = sa.Table("orders", sa.MetaData(), autoload_with=bind)
bind.execute(orders.update().values(total_cents=sa.cast(sa.func.coalesce(orders.c.total, 0) * 100, sa.BigInteger)))
op.alter_column("orders", "total_cents", nullable=False)
op.drop_column("orders", "total")
meta2 = sa.MetaData()
meta2.reflect(bind=bind, only=["orders"])
assert "total" not in meta2.tables["orders"].c
sa.Table(
    "from_metadata",
    sa.MetaData(),
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("mood", sa.Enum("x", "y", name="mood")),
).create(bind)
""",
    ),
    (
        "batches of ids, each committed",
        """
last = 0
while True:
    rows = bind.execute(
        sa.text("SELECT id FROM orders WHERE id > :last ORDER BY id LIMIT 100"), {"last": last}
    ).fetchall()
    if not rows:
        break
    last = rows[-1][0]
    bind.execute(sa.text("UPDATE orders SET status = 'sent' WHERE id = ANY(:ids)"), {"ids": [r[0] for r in rows]})
    bind.commit()
op.create_index("ix_orders_status", "orders", ["status"])
""",
    ),
    (
        "a copy of a table in its place",
        """
op.execute("CREATE TABLE tags_copy AS SELECT * FROM tags")
op.execute("ALTER TABLE tags_copy ADD PRIMARY KEY (id)")
op.drop_constraint("fk_customers_tag_id_tags", "customers", type_="foreignkey")
op.drop_table("tags")
op.rename_table("tags_copy", "tags")
op.create_foreign_key("fk_customers_tag_id_tags", "customers", "tags", ["tag_id"], ["id"])
""",
    ),
    (
        "LISTEN, prepared statements, cursors",
        """
op.execute("LISTEN chan")
op.execute("NOTIFY chan, 'done'")
op.execute("UNLISTEN *")
op.execute("PREPARE p (int) AS UPDATE tags SET name = 'prepared' WHERE id = $1")
op.execute("EXECUTE p (500)")
op.execute("DEALLOCATE p")
op.execute("DECLARE c CURSOR FOR SELECT id FROM tags ORDER BY id")
r = bind.execute(sa.text("FETCH 2 FROM c")).fetchall()
op.execute("CLOSE c")
assert len(r) == 2, r
""",
    ),
    (
        "upsert, CTE, RETURNING, MERGE",
        """
from sqlalchemy.dialects.postgresql import insert

t = sa.table("tags", sa.column("id", sa.Integer), sa.column("name", sa.String), sa.column("rank", sa.Integer))
bind.execute(
    insert(t)
    .values([{"id": 500, "name": "up", "rank": 1}, {"id": 900, "name": "new", "rank": 2}])
    .on_conflict_do_update(index_elements=["id"], set_={"name": "up"})
)
op.execute(
    "WITH gone AS (DELETE FROM tags WHERE id = 900 RETURNING *) INSERT INTO tags (id, name, rank)"
    " SELECT 901, name, rank FROM gone"
)
assert bind.execute(sa.text("UPDATE tags SET rank = rank + 1 WHERE id = 901 RETURNING rank")).scalar() == 3
assert bind.execute(sa.text("UPDATE tags SET rank = rank WHERE id < 0")).rowcount == 0
op.execute(
    "MERGE INTO tags USING (VALUES (901, 'm')) v (id, name) ON tags.id = v.id"
    " WHEN MATCHED THEN UPDATE SET name = v.name"
)
""",
    ),
    (
        "triggers that are disabled for a moment",
        """
op.execute(
    "CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql"
    " AS $f$ BEGIN new.name := new.name || '!'; RETURN new; END $f$"
)
op.execute("CREATE TRIGGER touch BEFORE UPDATE ON customers FOR EACH ROW EXECUTE PROCEDURE touch()")
op.execute("ALTER TABLE customers DISABLE TRIGGER touch")
op.execute("UPDATE customers SET name = 'quiet' WHERE id = 3")
op.execute("ALTER TABLE customers ENABLE TRIGGER touch")
op.execute("SET LOCAL session_replication_role = replica")
op.execute("UPDATE customers SET name = 'still' WHERE id = 4")
op.execute("SET LOCAL session_replication_role = origin")
op.execute("UPDATE customers SET name = 'loud' WHERE id = 5")
""",
    ),
    (
        "an enum rebuilt by hand",
        """
op.execute("ALTER TABLE orders ALTER COLUMN pay DROP DEFAULT")
op.execute("ALTER TYPE pay RENAME TO pay_old")
op.execute("CREATE TYPE pay AS ENUM ('PENDING', 'PAID', 'GONE', 'BACK')")
op.execute(
    "ALTER TABLE orders ALTER COLUMN pay TYPE pay"
    " USING (CASE pay::text WHEN 'LOST' THEN 'GONE' ELSE pay::text END)::pay"
)
op.execute("ALTER TABLE orders ALTER COLUMN pay SET DEFAULT 'PENDING'")
op.execute("DROP TYPE pay_old")
""",
    ),
    (
        "types that change by USING",
        """
op.alter_column("orders", "meta", type_=postgresql.JSONB(), postgresql_using="meta::jsonb", existing_type=sa.JSON())
op.create_index("ix_meta", "orders", ["meta"], postgresql_using="gin")
op.alter_column("orders", "placed", type_=sa.DateTime(timezone=True), postgresql_using="placed AT TIME ZONE 'UTC'")
op.alter_column("orders", "id", type_=sa.BigInteger(), existing_type=sa.Integer())
op.execute("UPDATE customers SET grade = 'none' WHERE grade IS NULL")
op.alter_column(
    "customers", "grade", type_=sa.Text(), nullable=False, server_default=sa.text("'none'"), comment="how good"
)
op.create_table_comment("orders", "what was bought")
""",
    ),
    (
        "JSON that Python edits",
        """
import json

rows = bind.execute(sa.text("SELECT id, meta FROM orders WHERE id < 20 ORDER BY id")).mappings().all()
for row in rows:
    meta = row["meta"] if isinstance(row["meta"], dict) else json.loads(row["meta"])
    meta["seen"] = True
    bind.execute(
        sa.text("UPDATE orders SET meta = CAST(:m AS jsonb) WHERE id = :i"), {"m": json.dumps(meta), "i": row["id"]}
    )
bind.execute(
    sa.text("UPDATE orders SET meta = jsonb_set(meta, '{k}', CAST(:v AS jsonb)) WHERE id = :i"),
    [{"v": '"a"', "i": 21}, {"v": '"b"', "i": 22}],
)
assert bind.execute(sa.text("SELECT meta ? 'seen' FROM orders WHERE id = 1")).scalar() is True
""",
    ),
    (
        "views, dropped and made",
        """
op.execute("CREATE MATERIALIZED VIEW sums AS SELECT customer_id, count(*) n FROM orders GROUP BY 1 WITH NO DATA")
op.execute("REFRESH MATERIALIZED VIEW sums")
op.create_index("ix_sums", "sums", ["customer_id"], unique=True)
op.execute("CREATE OR REPLACE VIEW o AS SELECT id, code FROM orders")
op.execute("DROP VIEW IF EXISTS o")
op.execute("CREATE VIEW o AS SELECT id, code, status FROM orders")
op.execute("GRANT SELECT ON o TO PUBLIC")
""",
    ),
    (
        "partitions by hand",
        '''
op.execute(
    """CREATE TABLE log (id bigint GENERATED ALWAYS AS IDENTITY, at date NOT NULL, note text) PARTITION BY RANGE (at)"""
)
for y in (2024, 2025):
    op.execute(f"CREATE TABLE log_{y} PARTITION OF log FOR VALUES FROM ('{y}-01-01') TO ('{y + 1}-01-01')")
op.execute(
    "INSERT INTO log (at, note) SELECT d, 'n'"
    " FROM generate_series(date '2024-01-01', date '2025-12-31', interval '1 month') d"
)
op.create_index("ix_log_at", "log", ["at"])
op.execute("ALTER TABLE log DETACH PARTITION log_2024")
''',
    ),
    (
        "limits and a lock of its own, COMMIT and BEGIN",
        """
op.execute("SET LOCAL lock_timeout = '5s'")
op.execute("SET LOCAL statement_timeout = '1min'")
op.execute("LOCK TABLE orders IN SHARE ROW EXCLUSIVE MODE")
op.execute("ALTER TABLE orders ADD CONSTRAINT ck_code CHECK (code <> '') NOT VALID")
op.execute("ALTER TABLE orders VALIDATE CONSTRAINT ck_code")
op.execute("COMMIT")
op.execute("BEGIN")
op.execute("ALTER TABLE orders ADD COLUMN after_commit int")
""",
    ),
    (
        "the context, the URL, the default schema",
        """
from alembic import context

assert not context.is_offline_mode()
ctx = op.get_context()
assert ctx.dialect.name == "postgresql" and ctx.connection is not None and ctx.as_sql is False
assert bind.engine.url.get_backend_name() == "postgresql"
assert bind.dialect.server_version_info[0] >= 16
schema = bind.dialect.default_schema_name
op.add_column("customers", sa.Column("sch", sa.String(), server_default=schema), schema=schema)
op.execute(f'ALTER TABLE "{schema}"."customers" RENAME COLUMN sch TO schema_name')
with bind.engine.connect() as other:
    assert other.execute(sa.text("SELECT 1")).scalar() == 1
""",
    ),
]
