"""Revisions as people write them: the habits are those of public repositories, the tables are ours."""

from tests.alembic_online.recipes.cases import Case

SHOP = """
    CREATE TABLE customers (id integer PRIMARY KEY, email text NOT NULL, name varchar(40), grade varchar(20));
    INSERT INTO customers SELECT i, 'c' || i || '@example.org', 'name ' || i, 'gold' FROM generate_series(1, 40) i;
    CREATE TYPE pay AS ENUM ('PENDING', 'PAID', 'LOST');
    CREATE TABLE orders (
        id serial PRIMARY KEY, customer_id integer NOT NULL CONSTRAINT fk_customer REFERENCES customers,
        status varchar(32) NOT NULL DEFAULT 'received', pay pay NOT NULL DEFAULT 'PENDING',
        ref uuid NOT NULL DEFAULT '00000000-0000-0000-0000-000000000000', total numeric(10, 2), placed timestamp,
        code text NOT NULL CONSTRAINT uq_code UNIQUE, meta json,
        CONSTRAINT ck_status CHECK (status IN ('received', 'new', 'sent')));
    CREATE INDEX ix_customer ON orders (customer_id);
    INSERT INTO orders (customer_id, status, pay, ref, total, placed, code, meta)
    SELECT i % 40 + 1, CASE WHEN i % 3 = 0 THEN 'sent' ELSE 'received' END,
        (ARRAY['PENDING', 'PAID', 'LOST'])[i % 3 + 1]::pay, lpad(i::text, 32, '0')::uuid, i / 7.0,
        timestamp '2026-03-29 00:00' + i * interval '1 min', 'code ' || i,
        json_build_object('n', i, 'tags', ARRAY[i % 5]) FROM generate_series(1, 300) i;
"""
MAILS = SHOP + "; CREATE TABLE mails (email text); INSERT INTO mails SELECT email FROM customers"
CODED = 'op.create_unique_constraint("uq_code", "orders", ["code"])'
HABITS = [
    Case(
        "names that only a dropped table gives free",
        """op.create_table("notes_new", sa.Column("id", sa.Integer(), primary_key=True), sa.Column("n", sa.Integer()))
    op.execute("INSERT INTO notes_new (n) SELECT n FROM notes")
    op.drop_table("notes")
    op.rename_table("notes_new", "notes")
    op.execute("ALTER SEQUENCE notes_new_id_seq RENAME TO notes_id_seq")
    op.create_index("ix_notes", "orders", ["placed"])
    op.execute("CREATE SEQUENCE notes_code_seq")""",
        """op.drop_index("ix_notes", "orders")
    op.execute("DROP SEQUENCE notes_code_seq")
    op.drop_table("notes")
    op.create_table("notes", sa.Column("id", sa.Integer(), primary_key=True), sa.Column("n", sa.Integer()))
    op.execute("ALTER TABLE notes ADD code serial")
    op.create_index("ix_notes", "notes", ["n"])""",
        SHOP + "; CREATE TABLE notes (id serial PRIMARY KEY, n int, code serial); CREATE INDEX ix_notes ON notes (n);"
        " INSERT INTO notes (n) VALUES (7)",
    ),
    Case(
        "a table is made beside the old one, filled, and takes its name and the names of its indexes",
        """op.create_table(
        "mails_new", sa.Column("email", sa.Text(), nullable=False), sa.Column("customer_id", sa.Integer()),
        sa.ForeignKeyConstraint(["customer_id"], ["customers.id"], name="fk_mails"), sa.PrimaryKeyConstraint("email"))
    op.create_index("ix_mails_new", "mails_new", ["customer_id"])
    op.execute("INSERT INTO mails_new SELECT email, id FROM mails JOIN customers USING (email)")
    op.drop_table("mails")
    op.rename_table("mails_new", "mails")
    op.execute("ALTER INDEX ix_mails_new RENAME TO ix_mails")
    op.execute("ALTER TABLE mails RENAME CONSTRAINT mails_new_pkey TO pk_mails")""",
        """op.create_table("mails_old", sa.Column("email", sa.Text()))
    op.create_index("ix_mails_old", "mails_old", ["email"])
    op.execute("INSERT INTO mails_old SELECT email FROM mails")
    op.drop_table("mails")
    op.rename_table("mails_old", "mails")
    op.execute("ALTER INDEX ix_mails_old RENAME TO ix_mails")""",
        MAILS + "; CREATE INDEX ix_mails ON mails (email)",
    ),
    Case(
        "a column is put into another one, an UPDATE between",
        """op.add_column("orders", sa.Column("caller", postgresql.JSONB(), nullable=True))
    op.execute("UPDATE orders SET caller = jsonb_build_object('customer', customer_id)")
    op.alter_column("orders", "caller", nullable=False)
    op.drop_column("orders", "customer_id")""",
        """op.add_column("orders", sa.Column("customer_id", sa.Integer(), nullable=True))
    op.execute("UPDATE orders SET customer_id = (caller ->> 'customer')::int WHERE caller IS NOT NULL")
    op.alter_column("orders", "customer_id", nullable=False)
    op.create_foreign_key("fk_customer", "orders", "customers", ["customer_id"], ["id"])
    op.create_index("ix_customer", "orders", ["customer_id"])
    op.drop_column("orders", "caller")""",
        SHOP,
    ),
    Case(
        "an indexed column goes and comes back with its index",
        """op.drop_index("ix_placed", "orders")
    op.execute("UPDATE orders SET placed = placed + interval '1 day'")
    op.drop_column("orders", "placed")
    op.add_column("orders", sa.Column("placed", sa.Text()))
    op.create_index("ix_placed", "orders", ["placed"])""",
        """op.drop_index("ix_placed", "orders")
    op.drop_column("orders", "placed")
    op.add_column("orders", sa.Column("placed", sa.DateTime()))
    op.create_index("ix_placed", "orders", ["placed"])""",
        SHOP + "; CREATE INDEX ix_placed ON orders (placed)",
    ),
    Case(
        "savepoints in a loop, some given up, then large changes",
        """for name in ("uq_none", "uq_code", "ck_none"):
        try:
            with op.get_bind().begin_nested():
                op.drop_constraint(name, "orders")
        except sa.exc.ProgrammingError:
            op.execute("UPDATE orders SET code = code || '.' WHERE id = 7")
    for name in ("seen", "code", "sent"):
        nested = op.get_bind().begin_nested()
        try:
            op.add_column("orders", sa.Column(name, sa.Boolean()))
            nested.commit()
        except sa.exc.ProgrammingError:
            nested.rollback()
    op.execute("UPDATE orders SET seen = false")
    op.create_index("ix_code", "orders", ["code"])
    op.alter_column("orders", "total", type_=sa.Numeric(12, 3))""",
        f"""op.alter_column("orders", "total", type_=sa.Numeric(10, 2))
    op.drop_index("ix_code", "orders")
    with op.get_bind().begin_nested():
        op.drop_column("orders", "sent")
        op.drop_column("orders", "seen")
    op.execute("UPDATE orders SET code = rtrim(code, '.') WHERE id = 7")
    {CODED}""",
        SHOP,
    ),
    Case(
        "a state is called otherwise, with its default",
        """op.execute("UPDATE orders SET status = 'new' WHERE status = 'received'")
    op.alter_column("orders", "status", existing_type=sa.String(length=32), server_default="new",
                    existing_nullable=False)""",
        """op.execute("UPDATE orders SET status = 'received' WHERE status = 'new'")
    op.alter_column("orders", "status", existing_type=sa.String(length=50), server_default="received",
                    existing_nullable=False)""",
        SHOP,
    ),
    Case(
        "each row begins a family of its own",
        """op.add_column("orders", sa.Column("family_id", postgresql.UUID(as_uuid=True), nullable=True))
    op.execute("UPDATE orders SET family_id = ref WHERE family_id IS NULL")
    op.alter_column("orders", "family_id", nullable=False)
    op.add_column("orders", sa.Column("used_at", sa.DateTime(timezone=True), nullable=True))
    op.create_index("ix_orders_family", "orders", ["family_id"])""",
        """op.drop_index("ix_orders_family", table_name="orders")
    op.drop_column("orders", "used_at")
    op.drop_column("orders", "family_id")""",
        SHOP,
    ),
    Case(
        "a default for the old rows only",
        """with op.batch_alter_table("orders", schema=None) as batch_op:
        batch_op.add_column(sa.Column("gift", sa.Boolean(), nullable=False, server_default=sa.false()))
    with op.batch_alter_table("orders", schema=None) as batch_op:
        batch_op.alter_column("gift", server_default=None)""",
        """with op.batch_alter_table("orders", schema=None) as batch_op:
        batch_op.drop_column("gift")""",
        SHOP,
    ),
    Case(
        "an id as text, and back by USING",
        """with op.batch_alter_table("orders") as batch:
        batch.alter_column("ref", server_default=None)
        batch.alter_column("ref", existing_type=sa.UUID(), type_=sa.String(length=50), existing_nullable=False,
                           postgresql_using="ref::text")
    op.create_index("ix_placed", "orders", ["placed"])""",
        """op.drop_index("ix_placed", table_name="orders")
    with op.batch_alter_table("orders") as batch:
        batch.alter_column("ref", existing_type=sa.String(length=50), type_=sa.UUID(), existing_nullable=False,
                           postgresql_using="ref::uuid")
        batch.alter_column("ref", server_default=sa.text("'00000000-0000-0000-0000-000000000000'::uuid"))""",
        SHOP,
    ),
    Case(
        "an enum of its own for a new column",
        """level = sa.Enum("LOW", "HIGH", name="level")
    level.create(op.get_bind(), checkfirst=True)
    op.add_column("orders", sa.Column("level", level, nullable=False, server_default="LOW"))
    op.add_column("orders", sa.Column("parts", sa.Integer(), nullable=False, server_default="0"))""",
        """op.drop_column("orders", "parts")
    op.drop_column("orders", "level")
    sa.Enum(name="level").drop(op.get_bind(), checkfirst=True)""",
        SHOP,
    ),
    Case(
        "a label taken out of an enum, by hand",
        """op.execute("ALTER TYPE pay RENAME TO pay_old")
    op.execute("CREATE TYPE pay AS ENUM ('pending', 'paid')")
    op.execute("ALTER TABLE orders ALTER COLUMN pay DROP DEFAULT")
    op.execute('''
        ALTER TABLE orders
        ALTER COLUMN pay TYPE pay
        USING (CASE pay::text WHEN 'PAID' THEN 'paid' ELSE 'pending' END)::pay
    ''')
    op.execute("ALTER TABLE orders ALTER COLUMN pay SET DEFAULT 'pending'")
    op.execute("DROP TYPE pay_old")""",
        """op.execute("ALTER TYPE pay RENAME TO pay_old")
    op.execute("CREATE TYPE pay AS ENUM ('PENDING', 'PAID', 'LOST')")
    op.execute("ALTER TABLE orders ALTER COLUMN pay DROP DEFAULT")
    op.execute("ALTER TABLE orders ALTER COLUMN pay TYPE pay USING upper(pay::text)::pay")
    op.execute("ALTER TABLE orders ALTER COLUMN pay SET DEFAULT 'PENDING'")
    op.execute("DROP TYPE pay_old")""",
        SHOP,
    ),
    Case(
        "unique for each owner instead of for all",
        """conn = op.get_bind()
    op.drop_constraint("uq_code", "orders", type_="unique")
    op.add_column("orders", sa.Column("owner_id", sa.Integer(), nullable=True))
    conn.execute(sa.text("UPDATE orders SET owner_id = (SELECT id FROM customers ORDER BY id ASC LIMIT 1)"
                         " WHERE code NOT IN ('code 7')"))
    op.create_foreign_key("fk_owner", "orders", "customers", ["owner_id"], ["id"], ondelete="CASCADE")
    op.create_unique_constraint("uq_code_owner", "orders", ["code", "owner_id"])""",
        f"""op.drop_constraint("uq_code_owner", "orders", type_="unique")
    op.drop_constraint("fk_owner", "orders", type_="foreignkey")
    op.drop_column("orders", "owner_id")
    {CODED}""",
        SHOP,
    ),
    Case(
        "a table that every row gets a row of, copied by Python",
        """op.create_table("pools", sa.Column("id", sa.Integer(), primary_key=True), sa.Column("name", sa.String(60)),
                    sa.Column("tags", sa.JSON()))
    op.add_column("customers", sa.Column("pool_id", sa.Integer(), nullable=True))
    bind = op.get_bind()
    rows = bind.execute(sa.text("SELECT id, name FROM customers ORDER BY id")).mappings()
    pools = sa.table("pools", sa.column("id", sa.Integer), sa.column("name", sa.String), sa.column("tags", sa.JSON()))
    op.bulk_insert(pools, [{"id": row["id"], "name": f"{row['name']} pool", "tags": []} for row in rows])
    op.execute("UPDATE customers SET pool_id = id WHERE pool_id IS NULL")
    with op.batch_alter_table("customers") as batch_op:
        batch_op.create_foreign_key("fk_pool", "pools", ["pool_id"], ["id"])
        batch_op.alter_column("pool_id", nullable=False)""",
        """with op.batch_alter_table("customers") as batch_op:
        batch_op.drop_constraint("fk_pool", type_="foreignkey")
        batch_op.drop_column("pool_id")
    op.drop_table("pools")""",
        SHOP,
    ),
    Case(
        "names in another language",
        """op.rename_table("orders", "sales")
    op.alter_column("sales", "total", new_column_name="amount", existing_type=sa.Numeric(10, 2))
    op.execute("ALTER INDEX ix_customer RENAME TO ix_sales_customer")
    op.execute("ALTER TABLE sales RENAME CONSTRAINT fk_customer TO fk_sales_customer")
    op.execute("ALTER SEQUENCE orders_id_seq RENAME TO sales_id_seq")
    op.add_column("sales", sa.Column("app", sa.String(50), nullable=True))
    op.execute("UPDATE sales SET app = 'shop' WHERE app IS NULL")
    op.alter_column("sales", "app", nullable=False)
    op.create_index("ix_sales_app", "sales", ["customer_id", "app"])""",
        """op.drop_index("ix_sales_app", table_name="sales")
    op.drop_column("sales", "app")
    op.execute("ALTER SEQUENCE sales_id_seq RENAME TO orders_id_seq")
    op.execute("ALTER TABLE sales RENAME CONSTRAINT fk_sales_customer TO fk_customer")
    op.execute("ALTER INDEX ix_sales_customer RENAME TO ix_customer")
    op.alter_column("sales", "amount", new_column_name="total", existing_type=sa.Numeric(10, 2))
    op.rename_table("sales", "orders")""",
        SHOP,
    ),
    Case(
        "ids that have become too small",
        """op.alter_column("customers", "id", existing_type=sa.INTEGER(), type_=sa.BigInteger(), nullable=False)
    op.alter_column("orders", "customer_id", existing_type=sa.INTEGER(), type_=sa.BigInteger(),
                    existing_nullable=False)
    op.alter_column("customers", "name", existing_type=sa.VARCHAR(40), type_=sa.Text(), comment="as it is called")""",
        """op.alter_column("customers", "name", existing_type=sa.Text(), type_=sa.VARCHAR(40), comment=None)
    op.alter_column("orders", "customer_id", existing_type=sa.BigInteger(), type_=sa.INTEGER(),
                    existing_nullable=False)
    op.alter_column("customers", "id", existing_type=sa.BigInteger(), type_=sa.INTEGER(), existing_nullable=False)""",
        SHOP,
    ),
    Case(
        "json that is to be searched",
        """op.alter_column("orders", "meta", existing_type=sa.JSON(), type_=postgresql.JSONB(),
                    postgresql_using="meta::jsonb")
    op.create_index("ix_meta", "orders", ["meta"], postgresql_using="gin")
    op.execute("CREATE INDEX IF NOT EXISTS ix_meta_n ON orders ((meta ->> 'n')) WHERE total IS NOT NULL")""",
        """op.execute("DROP INDEX IF EXISTS ix_meta_n")
    op.drop_index("ix_meta", table_name="orders", postgresql_using="gin")
    op.alter_column("orders", "meta", existing_type=postgresql.JSONB(), type_=sa.JSON(), postgresql_using="meta::json")
    op.execute("UPDATE orders SET meta = NULL")""",
        SHOP,
    ),
    Case(
        "an indexed text that was json",
        """op.alter_column("orders", "meta", existing_type=sa.JSON(), type_=sa.Text(), postgresql_using="meta::text")
    op.create_index("ix_meta", "orders", ["meta"])""",
        """op.drop_index("ix_meta", table_name="orders")
    op.alter_column("orders", "meta", existing_type=sa.Text(), type_=sa.JSON(), postgresql_using="meta::json")""",
        SHOP,
    ),
    Case(
        "times with their zone",
        """op.alter_column("orders", "placed", existing_type=sa.DateTime(), type_=sa.DateTime(timezone=True),
                    postgresql_using="placed AT TIME ZONE 'Europe/Berlin'")
    op.execute(sa.text("ALTER TABLE orders ALTER COLUMN placed SET DEFAULT now()"))
    op.execute("UPDATE orders SET placed = '2026-01-01 00:00+00' WHERE placed IS NULL")
    op.alter_column("orders", "placed", nullable=False)""",
        """op.alter_column("orders", "placed", nullable=True, server_default=None)
    op.alter_column("orders", "placed", existing_type=sa.DateTime(timezone=True), type_=sa.DateTime(),
                    postgresql_using="placed AT TIME ZONE 'Europe/Berlin'")""",
        SHOP,
    ),
    Case(
        "words to search, kept by a trigger of its own",
        """op.add_column("orders", sa.Column("search", postgresql.TSVECTOR(), nullable=True))
    op.execute('''
        CREATE OR REPLACE FUNCTION orders_search() RETURNS trigger AS $$
        BEGIN
            NEW.search := to_tsvector('simple', coalesce(NEW.code, '') || ' ' || coalesce(NEW.status, ''));
            RETURN NEW;
        END
        $$ LANGUAGE plpgsql;
    ''')
    op.execute("CREATE TRIGGER orders_search BEFORE INSERT OR UPDATE ON orders"
               " FOR EACH ROW EXECUTE FUNCTION orders_search()")
    op.execute("UPDATE orders SET search = to_tsvector('simple', coalesce(code, '') || ' ' || coalesce(status, ''))")
    op.create_index("ix_search", "orders", ["search"], postgresql_using="gin")""",
        """op.drop_index("ix_search", table_name="orders")
    op.execute("DROP TRIGGER IF EXISTS orders_search ON orders")
    op.execute("DROP FUNCTION IF EXISTS orders_search()")
    op.drop_column("orders", "search")""",
        SHOP,
    ),
    Case(
        "words to search, computed of a text that gets longer",
        """op.alter_column("orders", "status", existing_type=sa.String(32), type_=sa.Text(), existing_nullable=False)
    op.add_column("orders", sa.Column("words", postgresql.TSVECTOR(), sa.Computed(
        "to_tsvector('simple'::regconfig, status)", persisted=True)))
    op.create_index("ix_words", "orders", ["words"], postgresql_using="gin")""",
        """op.drop_index("ix_words", table_name="orders", postgresql_using="gin")
    op.drop_column("orders", "words")
    op.alter_column("orders", "status", existing_type=sa.Text(), type_=sa.String(32), existing_nullable=False)""",
        SHOP,
    ),
    Case(
        "a check that allows more, in one statement of two actions",
        """op.execute("ALTER TABLE orders DROP CONSTRAINT IF EXISTS ck_status, ADD CONSTRAINT ck_status"
               " CHECK (status IN ('received', 'new', 'sent', 'lost'))")
    op.execute("UPDATE orders SET status = 'lost' WHERE pay = 'LOST'")""",
        """op.execute("UPDATE orders SET status = CASE WHEN id % 3 = 0 THEN 'sent' ELSE 'received' END"
               " WHERE status = 'lost'")
    op.execute("ALTER TABLE orders DROP CONSTRAINT ck_status")
    op.create_check_constraint("ck_status", "orders", "status IN ('received', 'new', 'sent')")""",
        SHOP,
    ),
    Case(
        "asked beforehand whether it is there",
        """inspector = sa.inspect(op.get_bind())
    if "paid_cash" not in [column["name"] for column in inspector.get_columns("orders")]:
        op.add_column("orders", sa.Column("paid_cash", sa.Float(), nullable=True, server_default="0"))
        op.add_column("orders", sa.Column("paid_card", sa.Float(), nullable=True, server_default="0"))
    op.execute("UPDATE orders SET paid_cash = 0, paid_card = 0")
    for name in ("paid_cash", "paid_card"):
        op.alter_column("orders", name, nullable=False)
    if "ix_paid" not in {index["name"] for index in inspector.get_indexes("orders")}:
        op.create_index("ix_paid", "orders", ["paid_cash", sa.text("paid_card DESC")])""",
        """for name in ("paid_card", "paid_cash"):
        op.drop_column("orders", name)""",
        SHOP,
    ),
    Case(
        "ids that have become too small, with a sequence of another name",
        """op.execute("CREATE SEQUENCE orders_ids OWNED BY orders.id")
    op.execute("SELECT setval('orders_ids', max(id)) FROM orders")
    op.alter_column("orders", "id", type_=sa.BigInteger(), server_default=sa.text("nextval('orders_ids')"))
    op.execute("DROP SEQUENCE orders_id_seq")""",
        """op.execute("CREATE SEQUENCE orders_id_seq AS integer OWNED BY orders.id")
    op.execute("SELECT setval('orders_id_seq', max(id)) FROM orders")
    op.alter_column("orders", "id", type_=sa.Integer(), server_default=sa.text("nextval('orders_id_seq')"))
    op.execute("DROP SEQUENCE orders_ids")""",
        SHOP,
    ),
    Case(
        "another type, in a block of its own",
        """with op.get_context().autocommit_block():
        op.alter_column("orders", "id", type_=sa.BigInteger())
    op.alter_column("orders", "total", type_=sa.Numeric(12, 4))""",
        """with op.get_context().autocommit_block():
        op.alter_column("orders", "id", type_=sa.Integer())
    op.alter_column("orders", "total", type_=sa.Numeric(10, 2))""",
        SHOP,
    ),
    Case(
        "an index dropped by its operation, and made again by hand",
        """op.drop_index("ix_customer", table_name="orders")
    op.execute("CREATE INDEX IF NOT EXISTS ix_customer ON orders (customer_id, placed)")""",
        """op.drop_index("ix_customer", table_name="orders")
    op.execute("CREATE INDEX ix_customer ON orders (customer_id)")""",
        SHOP,
    ),
    Case(
        "another type under a generated column that goes",
        """op.drop_column("customers", "loud")
    op.alter_column("customers", "name", type_=sa.String(15))""",
        """op.alter_column("customers", "name", type_=sa.String(40))
    op.add_column("customers", sa.Column("loud", sa.Text(), sa.Computed("upper(name)", persisted=True)))""",
        f"{SHOP} ALTER TABLE customers ADD loud text GENERATED ALWAYS AS (upper(name)) STORED",
    ),
    Case(
        "a column is renamed and may be NULL, then another one gets another type",
        """op.alter_column("customers", "email", new_column_name="mail", nullable=True)
    op.alter_column("customers", "name", type_=sa.String(15))""",
        """op.alter_column("customers", "name", type_=sa.String(40))
    op.alter_column("customers", "mail", new_column_name="email", nullable=False)""",
        SHOP,
    ),
    Case(
        "a trigger goes, then a column gets another name and type",
        """op.execute("DROP TRIGGER noting ON customers")
    op.alter_column("customers", "grade", new_column_name="tier", type_=sa.Text())""",
        """op.alter_column("customers", "tier", new_column_name="grade", type_=sa.String(20))
    op.execute("CREATE TRIGGER noting BEFORE UPDATE ON customers FOR EACH ROW EXECUTE FUNCTION note()")""",
        f"""{SHOP}
        CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$;
        CREATE TRIGGER noting BEFORE UPDATE ON customers FOR EACH ROW EXECUTE FUNCTION note()""",
    ),
    Case(
        "a partition goes, then an index comes and a column gets another type",
        """op.execute("ALTER TABLE events DETACH PARTITION events_1")
    op.create_index("ix_line", "events", ["line"])
    op.execute("ALTER TABLE events DETACH PARTITION events_2")
    op.alter_column("events", "line", type_=sa.String(15))""",
        """op.alter_column("events", "line", type_=sa.String(40))
    op.drop_index("ix_line", "events")
    op.execute("ALTER TABLE events_1 ALTER line TYPE varchar(40)")
    op.execute("ALTER TABLE events_2 ALTER line TYPE varchar(40)")
    op.execute("DROP INDEX IF EXISTS events_2_line_idx")
    op.execute("ALTER TABLE events ATTACH PARTITION events_1 FOR VALUES FROM (1) TO (50)")
    op.execute("ALTER TABLE events ATTACH PARTITION events_2 FOR VALUES FROM (50) TO (99)")""",
        """
        CREATE TABLE events (id integer NOT NULL, line varchar(40)) PARTITION BY RANGE (id);
        CREATE TABLE events_1 PARTITION OF events FOR VALUES FROM (1) TO (50);
        CREATE TABLE events_2 PARTITION OF events FOR VALUES FROM (50) TO (99);
        CREATE TABLE events_3 PARTITION OF events DEFAULT;
        INSERT INTO events SELECT i, 'line ' || i FROM generate_series(1, 120) i;
        """,
    ),
    Case(
        "a stored generated column of a partitioned table goes, then what it was made of gets another type",
        """op.drop_column("events", "twice")
    op.alter_column("events", "size", type_=sa.Numeric(12, 2))""",
        """op.alter_column("events", "size", type_=sa.Integer())
    op.add_column("events", sa.Column("twice", sa.Integer(), sa.Computed("size * 2", persisted=True)))""",
        """
        CREATE TABLE events (id integer PRIMARY KEY, size integer, twice integer GENERATED ALWAYS AS (size * 2) STORED)
            PARTITION BY RANGE (id);
        CREATE TABLE events_1 PARTITION OF events FOR VALUES FROM (1) TO (50);
        CREATE TABLE events_2 PARTITION OF events DEFAULT;
        INSERT INTO events SELECT i, i FROM generate_series(1, 120) i;
        """,
    ),
    Case(
        "a DO block that looks first",
        """op.execute('''
        DO $$
        BEGIN
            IF NOT EXISTS (SELECT 1 FROM pg_constraint WHERE conname = 'uq_customers_email') THEN
                ALTER TABLE customers ADD CONSTRAINT uq_customers_email UNIQUE (email);
            END IF;
        END
        $$;
    ''')
    op.execute("ALTER TABLE customers ADD COLUMN IF NOT EXISTS note TEXT, ADD COLUMN IF NOT EXISTS rank INTEGER")
    op.execute("COMMENT ON COLUMN customers.note IS 'free'")""",
        """op.execute("ALTER TABLE customers DROP COLUMN IF EXISTS rank")
    op.execute("ALTER TABLE customers DROP COLUMN IF EXISTS note")
    op.execute("ALTER TABLE customers DROP CONSTRAINT IF EXISTS uq_customers_email")""",
        SHOP,
    ),
    Case(
        "a text gets a length and a collation, and another comes with one",
        """op.alter_column("customers", "name", existing_type=sa.String(40), type_=sa.String(30, collation="C"))
    op.add_column("customers", sa.Column("town", sa.String(9, collation="C"), server_default="here"))""",
        """op.drop_column("customers", "town")
    op.alter_column("customers", "name", existing_type=sa.String(30), type_=sa.String(40, collation="default"))""",
        SHOP,
    ),
    Case(
        "an index whose operator class the new type does not have is made again",
        """op.drop_index("ix_grade", table_name="customers")
    op.alter_column("customers", "grade", type_=sa.Integer(), postgresql_using="length(grade)")
    op.create_index("ix_grade", "customers", ["grade"])""",
        """op.drop_index("ix_grade", table_name="customers")
    op.alter_column("customers", "grade", type_=sa.String(20), postgresql_using="repeat('x', grade)")
    op.create_index("ix_grade", "customers", ["grade"], postgresql_ops={"grade": "varchar_pattern_ops"})""",
        SHOP + "; CREATE INDEX ix_grade ON customers (grade varchar_pattern_ops)",
    ),
    Case(
        "a unique index under a foreign key becomes a key",
        """op.execute("ALTER TABLE customers ADD CONSTRAINT uq_mail UNIQUE (email) INCLUDE (name)")
    op.drop_constraint("fk_mail", "mails", type_="foreignkey")
    op.drop_index("ix_mail", table_name="customers")
    op.create_foreign_key("fk_mail", "mails", "customers", ["email"], ["email"])""",
        """op.create_index("ix_mail", "customers", ["email"], unique=True)
    op.drop_constraint("fk_mail", "mails", type_="foreignkey")
    op.drop_constraint("uq_mail", "customers", type_="unique")
    op.create_foreign_key("fk_mail", "mails", "customers", ["email"], ["email"])""",
        MAILS + "; CREATE UNIQUE INDEX ix_mail ON customers (email);"
        "ALTER TABLE mails ADD CONSTRAINT fk_mail FOREIGN KEY (email) REFERENCES customers (email)",
    ),
    Case(
        "a key by hand, and a foreign key to it",
        """op.execute("ALTER TABLE customers ADD CONSTRAINT uq_mail UNIQUE (email) WITH (fillfactor = 70)")
    op.create_foreign_key("fk_mail", "mails", "customers", ["email"], ["email"])""",
        """op.drop_constraint("fk_mail", "mails", type_="foreignkey")
    op.drop_constraint("uq_mail", "customers", type_="unique")""",
        MAILS,
    ),
    Case(
        "a function gets another argument under an index and a view",
        """op.execute("DROP VIEW shown_codes")
    op.drop_index("ix_shown", table_name="orders")
    op.execute("DROP FUNCTION shown(text)")
    op.execute("CREATE FUNCTION shown(c text, n int DEFAULT 3) RETURNS text LANGUAGE sql IMMUTABLE"
               " RETURN left(c, n)")
    op.create_index("ix_shown", "orders", [sa.text("shown(code)")])
    op.execute("CREATE VIEW shown_codes AS SELECT shown(code) AS code FROM orders")""",
        """op.execute("DROP VIEW shown_codes")
    op.drop_index("ix_shown", table_name="orders")
    op.execute("DROP FUNCTION shown(text, int)")
    op.execute("CREATE FUNCTION shown(c text) RETURNS text LANGUAGE sql IMMUTABLE RETURN c")
    op.create_index("ix_shown", "orders", [sa.text("shown(code)")])
    op.execute("CREATE VIEW shown_codes AS SELECT shown(code) AS code FROM orders")""",
        SHOP + "; CREATE FUNCTION shown(c text) RETURNS text LANGUAGE sql IMMUTABLE RETURN c;"
        "CREATE INDEX ix_shown ON orders (shown(code)); CREATE VIEW shown_codes AS SELECT shown(code) code FROM orders",
    ),
    Case(
        "a table with rows becomes a partition, and gets another bound",
        """op.execute("ALTER TABLE years ATTACH PARTITION year_2 FOR VALUES FROM (20) TO (30)")
    op.execute("ALTER TABLE years DETACH PARTITION year_1")
    op.execute("ALTER TABLE years ATTACH PARTITION year_1 FOR VALUES FROM (10) TO (19)")""",
        """op.execute("ALTER TABLE years DETACH PARTITION year_1")
    op.execute("ALTER TABLE years ATTACH PARTITION year_1 FOR VALUES FROM (0) TO (20)")
    op.execute("ALTER TABLE years DETACH PARTITION year_2")""",
        """CREATE TABLE years (n integer, line text) PARTITION BY RANGE (n);
        CREATE TABLE year_1 PARTITION OF years FOR VALUES FROM (0) TO (20); CREATE TABLE year_2 (n integer, line text);
        INSERT INTO years SELECT 11, 'one'; INSERT INTO year_2 SELECT 21, 'two'""",
    ),
    Case(
        "keys and indexes take the names of a dropped table's",
        """op.drop_table("mails")
    op.create_unique_constraint("mails_pkey", "customers", ["email"])
    op.create_index("ix_mails", "customers", [sa.text("slow(name)")])
    op.drop_constraint("uq_code", "orders")
    op.create_unique_constraint("uq_code", "customers", ["name"])""",
        f"""op.drop_constraint("uq_code", "customers")
    {CODED}
    op.drop_index("ix_mails", "customers")
    op.drop_constraint("mails_pkey", "customers")
    op.create_table("mails", sa.Column("email", sa.Text(), primary_key=True))
    op.create_index("ix_mails", "mails", ["email"])""",
        # Longer than a statement may work while others wait for it.
        MAILS + "; ALTER TABLE mails ADD PRIMARY KEY (email); CREATE INDEX ix_mails ON mails (email);"
        "CREATE FUNCTION slow(text) RETURNS text LANGUAGE plpgsql IMMUTABLE AS"
        " $$ BEGIN PERFORM pg_sleep(0.01); RETURN $1; END $$",
    ),
    Case(
        "a key is replaced, then a column of both gets another type",
        """op.drop_constraint("uq_code", "orders")
    op.create_unique_constraint("uq_code", "orders", ["code", "customer_id"], deferrable=True)
    op.alter_column("orders", "customer_id", type_=sa.BigInteger())
    op.alter_column("orders", "code", type_=sa.String(40))""",
        """op.drop_constraint("uq_code", "orders")
    op.create_index("uq_code", "orders", ["code"], unique=True)
    op.alter_column("orders", "code", type_=sa.String(80))
    op.drop_index("uq_code", "orders")
    op.alter_column("orders", "customer_id", type_=sa.Integer())
    op.alter_column("orders", "code", type_=sa.Text())
    op.create_unique_constraint("uq_code", "orders", ["code"])""",
        SHOP,
    ),
    Case(
        "the key of a partitioned table is replaced, then a column of it gets another type",
        """op.drop_constraint("uq_days", "days")
    op.create_unique_constraint("uq_days", "days", ["n", "day"])
    op.alter_column("days", "n", type_=sa.BigInteger())""",
        """op.drop_constraint("uq_days", "days")
    op.create_unique_constraint("uq_days", "days", ["day", "n"])
    op.alter_column("days", "n", type_=sa.Integer())""",
        """CREATE TABLE days (day integer, n integer, CONSTRAINT uq_days UNIQUE (day, n)) PARTITION BY RANGE (day);
        CREATE TABLE days_1 PARTITION OF days FOR VALUES FROM (0) TO (50);
        CREATE TABLE days_2 PARTITION OF days FOR VALUES FROM (50) TO (99);
        INSERT INTO days SELECT i, i FROM generate_series(1, 90) i""",
    ),
]
