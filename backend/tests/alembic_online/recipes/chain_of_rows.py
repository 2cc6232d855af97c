"""Revisions as people write them, in one chain: what they do to rows, and with the connection."""

# What it is, and its body; `bind` is the connection. A chain: each goes on from what those before it have left.
FIRST: list[tuple[str, str]] = [
    (
        "rows whose ids the server makes",
        """
t = sa.table("customers", sa.column("id", sa.Integer), sa.column("email", sa.String), sa.column("name", sa.String))
op.execute("CREATE SEQUENCE cust_seq START 1000")
op.execute("ALTER TABLE customers ALTER id SET DEFAULT nextval('cust_seq')")
op.bulk_insert(t, [{"email": f"n{i}@x", "name": f"n{i}"} for i in range(30)])
ids = [r.id for r in bind.execute(t.insert().returning(t.c.id), [{"email": "r1"}, {"email": "r2"}])]
op.bulk_insert(
    sa.table("orders", sa.column("customer_id"), sa.column("code")),
    [{"customer_id": i, "code": f"new {i}"} for i in ids],
    multiinsert=False,
)
""",
    ),
    (
        "rows that are streamed, and changed in parts",
        """
res = bind.execute(
    sa.text("SELECT id, total FROM orders ORDER BY id"),
    execution_options={"stream_results": True, "max_row_buffer": 10},
)
n = 0
for row in res:
    n += 1
assert n > 300, n
for part in bind.execute(
    sa.text("SELECT id FROM orders ORDER BY id"), execution_options={"yield_per": 50}
).partitions():
    bind.execute(
        sa.text("UPDATE orders SET total = total + 1 WHERE id IN :ids").bindparams(
            sa.bindparam("ids", expanding=True)
        ),
        {"ids": [r.id for r in part]},
    )
""",
    ),
    (
        "what an inspector finds is not made again",
        """
insp = sa.inspect(bind)
if not insp.has_table("tags"):
    op.create_table("tags", sa.Column("id", sa.Integer, primary_key=True), sa.Column("name", sa.String(50)))
if "nick" not in [c["name"] for c in insp.get_columns("customers")]:
    op.add_column("customers", sa.Column("nick", sa.String(20)))
insp = sa.inspect(op.get_bind())
assert insp.has_table("tags") and "nick" in [c["name"] for c in insp.get_columns("customers")]
if "ix_customer" in [i["name"] for i in insp.get_indexes("orders")]:
    op.drop_index("ix_customer", "orders")
assert "ix_customer" not in [i["name"] for i in sa.inspect(bind).get_indexes("orders")]
fks = [f["name"] for f in sa.inspect(bind).get_foreign_keys("orders")]
assert fks == ["fk_customer"], fks
""",
    ),
    (
        "a batch with a naming convention",
        """
conv = {
    "uq": "uq_%(table_name)s_%(column_0_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
}
with op.batch_alter_table("customers", naming_convention=conv, schema=None) as b:
    b.add_column(sa.Column("tag_id", sa.Integer(), nullable=True))
    b.create_foreign_key("fk_customers_tag_id_tags", "tags", ["tag_id"], ["id"], ondelete="SET NULL")
    b.create_unique_constraint(b.f("uq_customers_email"), ["email"])
    b.alter_column("nick", new_column_name="nickname", type_=sa.String(60), existing_type=sa.String(20))
    b.create_index(b.f("ix_customers_name"), ["name"], unique=False)
""",
    ),
    (
        "a session of the ORM, with relationships",
        """
from sqlalchemy.orm import Session, declarative_base, relationship

Base = declarative_base()


class Tag(Base):
    __tablename__ = "tags"
    id = sa.Column(sa.Integer, primary_key=True)
    name = sa.Column(sa.String)
    customers = relationship("Customer", back_populates="tag")


class Customer(Base):
    __tablename__ = "customers"
    id = sa.Column(sa.Integer, primary_key=True)
    name = sa.Column(sa.String)
    tag_id = sa.Column(sa.ForeignKey("tags.id"))
    tag = relationship(Tag, back_populates="customers")


session = Session(bind=bind)
vip = Tag(name="vip")
for c in session.query(Customer).filter(Customer.id < 10).order_by(Customer.id).all():
    c.tag = vip
session.add(Tag(name="unused"))
session.flush()
assert vip.id
session.query(Customer).filter(Customer.tag_id.is_(None)).update({"name": "x"}, synchronize_session=False)
session.commit()
""",
    ),
    (
        "several statements outside of a transaction",
        """
with op.get_context().autocommit_block():
    op.execute("ALTER TYPE pay ADD VALUE IF NOT EXISTS 'BACK' BEFORE 'LOST'")
    op.execute("ALTER TYPE pay ADD VALUE IF NOT EXISTS 'HELD'")
    op.execute("CREATE INDEX CONCURRENTLY IF NOT EXISTS ix_orders_placed ON orders (placed)")
    op.execute("VACUUM orders")
    bind.execute(sa.text("ANALYZE orders"))
op.execute("UPDATE orders SET pay = 'BACK' WHERE id % 10 = 0")
""",
    ),
    (
        "statements with their values",
        """
op.execute(
    sa.text("UPDATE orders SET status = :new, meta = CAST(:m AS json) WHERE status = :old").bindparams(
        new="new", old="received", m='{"a": [1, ":x"]}'
    )
)
op.execute(
    sa.text("INSERT INTO tags (id, name) VALUES (:i, :n)").bindparams(
        sa.bindparam("i", 500), sa.bindparam("n", "it's", type_=sa.Text)
    )
)
op.execute(sa.table("tags", sa.column("id"), sa.column("name")).insert().values(id=501, name=sa.func.upper("low")))
op.execute(
    sa.update(sa.table("tags", sa.column("id"), sa.column("name")))
    .where(sa.column("id") == 501)
    .values({"name": "b"})
)
""",
    ),
    (
        "DO blocks",
        '''
op.execute("""
DO $$
DECLARE r record;
BEGIN
  FOR r IN SELECT conname FROM pg_constraint WHERE conrelid = 'orders'::regclass AND contype = 'c' LOOP
    EXECUTE format('ALTER TABLE orders DROP CONSTRAINT %I', r.conname);
  END LOOP;
  IF NOT EXISTS (SELECT 1 FROM pg_type WHERE typname = 'kind') THEN CREATE TYPE kind AS ENUM ('a', 'b'); END IF;
EXCEPTION WHEN duplicate_object THEN NULL;
END $$;
""")
op.add_column(
    "orders",
    sa.Column("kind", postgresql.ENUM("a", "b", name="kind", create_type=False), server_default="a", nullable=False),
)
''',
    ),
    (
        "temporary tables",
        """
op.execute("CREATE TEMP TABLE load (id int, code text) ON COMMIT DROP")
op.execute("INSERT INTO load VALUES (1, 'first'), (2, 'second')")
op.execute("UPDATE orders SET code = load.code FROM load WHERE load.id = orders.id")
bind.execute(sa.text("CREATE TEMPORARY TABLE tmp_ids AS SELECT id FROM orders WHERE id % 7 = 0"))
op.execute("DELETE FROM orders WHERE id IN (SELECT id FROM tmp_ids)")
op.execute("DROP TABLE tmp_ids")
""",
    ),
    (
        "savepoints, one given up",
        """
for name in ("no_such_table", "orders"):
    try:
        with bind.begin_nested():
            op.execute(f"ALTER TABLE {name} ADD COLUMN via_savepoint int DEFAULT 3")
    except sa.exc.ProgrammingError as e:
        assert "no_such_table" in str(e)
sp = bind.begin_nested()
bind.execute(sa.text("UPDATE orders SET via_savepoint = 4"))
sp.rollback()
sp = bind.begin_nested()
bind.execute(sa.text("UPDATE orders SET via_savepoint = 5 WHERE id < 9"))
sp.commit()
op.execute("SAVEPOINT mine")
op.execute("DELETE FROM tags")
op.execute("ROLLBACK TO SAVEPOINT mine")
op.execute("RELEASE SAVEPOINT mine")
""",
    ),
    (
        "advisory locks",
        """
op.execute("SELECT pg_advisory_xact_lock(4711)")
assert bind.execute(sa.text("SELECT pg_try_advisory_lock(:k)"), {"k": 12}).scalar()
op.add_column("tags", sa.Column("at", sa.DateTime(timezone=True), server_default=sa.func.now()))
op.execute("UPDATE tags SET at = '2020-01-01'")
op.execute("SELECT pg_advisory_unlock(12)")
""",
    ),
    (
        "a search_path of its own",
        """
op.execute("CREATE SCHEMA IF NOT EXISTS side")
op.execute("SET search_path TO side, public")
op.create_table("inside", sa.Column("id", sa.Integer, primary_key=True))
op.execute("CREATE VIEW inside_view AS SELECT id FROM inside")
op.execute("RESET search_path")
op.execute("SET LOCAL search_path = side")
op.execute("INSERT INTO inside VALUES (1)")
op.execute("SET LOCAL search_path = public")
""",
    ),
    (
        "begin, where there is a transaction",
        """
if not bind.in_transaction():
    with bind.begin():
        bind.execute(sa.text("UPDATE tags SET name = 'z' WHERE id = 500"))
else:
    with bind.begin_nested():
        bind.execute(sa.text("UPDATE tags SET name = 'z' WHERE id = 500"))
trans = bind.get_transaction()
assert trans is not None
assert bind.get_nested_transaction() is None
""",
    ),
]
