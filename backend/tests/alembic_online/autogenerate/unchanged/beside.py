"""Schemas with what is declared beside the tables, and what naming conventions make of names."""

CONVENTION = {
    "ix": "ix_%(column_0_N_label)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}
"""Alembic's recommended one, with all columns."""

NAMED = {
    "a naming convention": """
Table("n_a", m, Column("id", Integer, primary_key=True), Column("b", Integer, unique=True), Column("c", Text,
    index=True),
    Column("d", Boolean(create_constraint=True, name="d_is_bool")), Column("e", Enum("x", native_enum=False,
    create_constraint=True, name="e_kind")), CheckConstraint("b > 0", name="positive"), UniqueConstraint("b", "c"))
Table("n_b", m, Column("id", Integer, ForeignKey("n_a.id"), primary_key=True), Column("x", Integer), Column("y",
    Integer),
    Index(None, "x", "y"), Index("explicit", "y"), CheckConstraint("x > y", name=sql.elements.conv("as_it_is")),
    schema="n_s")
""",
    "a naming convention and names that become too long": """
Table("a_table_with_quite_a_long_name_for_something", m, Column("id", Integer, primary_key=True),
    Column("a_column_with_a_long_name_too", Integer, unique=True), Column("another_column_with_a_long_name", Integer,
    index=True),
    Column("parent_of_this_with_a_long_name", ForeignKey("a_table_with_quite_a_long_name_for_something.id")),
    CheckConstraint("id > 0", name="a_check_with_a_name_that_is_long_as_well"))
""",
    "a naming convention with the orm": """
class Customer(Base):
    __tablename__ = "Customer"
    id: Mapped[int] = mapped_column(primary_key=True)
    email: Mapped[str] = mapped_column(String(255), unique=True, index=True)
    active: Mapped[bool] = mapped_column(server_default=true())
class Invoice(Base):
    __tablename__ = "Invoice"
    id: Mapped[int] = mapped_column(primary_key=True)
    customerId: Mapped[int] = mapped_column(ForeignKey("Customer.id"), index=True)
    state: Mapped[typing.Literal["open", "paid"]] = mapped_column(Enum("open", "paid", name="invoiceState"))
    total: Mapped[decimal.Decimal] = mapped_column(Numeric(10, 2), CheckConstraint("total >= 0", name="total"))
""",
}

MODELS = {
    "views of views, and a materialized one": """
Table("v_t", m, Column("id", Integer, primary_key=True), Column("Name", Text), Column("n", Numeric(6, 2)))
declare(m, SQLObject('CREATE VIEW v_one AS SELECT id, "Name" AS "The Name", n * 2 AS twice FROM v_t WHERE n > 1.50'),
    SQLObject("CREATE VIEW v_two AS SELECT o.*, count(*) OVER (PARTITION BY o.twice) AS c FROM v_one o"),
    SQLObject("CREATE MATERIALIZED VIEW v_mat AS SELECT twice, "
        "string_agg(id::text, ', ' ORDER BY id) FROM v_two GROUP BY 1"),
    SQLObject("CREATE UNIQUE INDEX v_mat_twice ON v_mat (twice)"),
    SQLObject("CREATE VIEW v_checked WITH (security_barrier) AS SELECT * FROM v_t WHERE id > 0 "
        "WITH LOCAL CHECK OPTION"))
""",
    "triggers and their functions": """
Table("r_t", m, Column("id", Integer, primary_key=True), Column("at", DateTime(timezone=True)), Column("x", Text))
declare(m, SQLObject("CREATE FUNCTION r_touch() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.at := now();\\n"
    "  -- it's 100%\\n  RETURN NEW; END $$"), SQLObject("CREATE TRIGGER r_1 BEFORE UPDATE OF x ON r_t FOR EACH ROW "
    "WHEN (OLD.x IS DISTINCT FROM NEW.x) EXECUTE FUNCTION r_touch('a', 'it''s')"),
    SQLObject("CREATE CONSTRAINT TRIGGER r_2 "
    "AFTER INSERT ON r_t DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION r_touch()"),
    SQLObject("CREATE TRIGGER r_3 AFTER DELETE ON r_t REFERENCING OLD TABLE AS gone EXECUTE FUNCTION r_touch()"),
    SQLObject("ALTER TABLE r_t DISABLE TRIGGER r_3"), SQLObject("CREATE RULE r_4 AS ON DELETE TO r_t DO ALSO NOTHING"))
""",
    "row level security and grants": """
Table("p_t", m, Column("id", Integer, primary_key=True), Column("tenant", Text))
declare(m, SQLObject("ALTER TABLE p_t ENABLE ROW LEVEL SECURITY"),
    SQLObject("ALTER TABLE p_t FORCE ROW LEVEL SECURITY"),
    SQLObject("CREATE POLICY p_1 ON p_t USING (tenant = current_setting('app.tenant', true)) "
        "WITH CHECK (tenant <> '')"),
    SQLObject("CREATE POLICY p_2 ON p_t AS RESTRICTIVE FOR SELECT TO PUBLIC USING (true)"),
    SQLObject("GRANT SELECT, INSERT (tenant) ON p_t TO PUBLIC"))
""",
    "domains, composites, ranges and functions": """
declare(m, SQLObject("CREATE DOMAIN o_email AS text CHECK (VALUE ~ '^[^@]+@[^@]+$') DEFAULT 'a@b'"),
    SQLObject('CREATE TYPE o_point AS (x float8, "Y" numeric(4,1)[], e o_email)'),
    SQLObject("CREATE TYPE o_range AS RANGE (subtype = float8, subtype_diff = float8mi)"),
    SQLObject("CREATE FUNCTION o_slug(t text, n int DEFAULT 3) RETURNS text LANGUAGE sql IMMUTABLE "
        "RETURN left(lower(t), n)",
        before_tables=True), SQLObject("CREATE PROCEDURE o_do(INOUT a int) LANGUAGE sql AS 'SELECT a + 1'"),
    SQLObject("CREATE AGGREGATE o_sum (float8) (SFUNC = float8pl, STYPE = float8, INITCOND = '0')"))
class Named(UserDefinedType):
    def __init__(self, name): self.name = name
    def get_col_spec(self, **_): return self.name
Table("o_t", m, Column("a", Named("o_email"), nullable=False), Column("b", Named("o_point")), Column("c",
    Named("o_range")),
    Column("d", Text, server_default=text("o_slug('It''s')")), Column("e", Named("o_point[]")), Column("f",
    Named("o_multirange")), Column("g", Text), Index("o_i", text("o_slug(g)")), CheckConstraint("o_slug(g, 2) <> 'xx'"))
""",
    "partitions": """
t = Table("q_t", m, Column("at", Date, primary_key=True), Column("x", Integer, index=True, primary_key=True),
    postgresql_partition_by="RANGE (at)")
declare(m,
    SQLObject("CREATE TABLE q_2020 PARTITION OF q_t FOR VALUES FROM ('2020-01-01') TO ('2021-01-01') PARTITION BY "
    "LIST (x)"), SQLObject("CREATE TABLE q_2020_1 PARTITION OF q_2020 FOR VALUES IN (1, 2, NULL)"),
    SQLObject("CREATE TABLE q_rest PARTITION OF q_t DEFAULT"))
""",
    "inheritance of tables, storage and options": """
Table("h_parent", m, Column("id", Integer, primary_key=True), Column("a", Text, nullable=False),
    CheckConstraint("a <> ''",
    name="h_c"), postgresql_with={"fillfactor": 70, "autovacuum_enabled": "false"})
declare(m, SQLObject("CREATE UNLOGGED TABLE h_child (b int DEFAULT 1) INHERITS (h_parent)"),
    SQLObject("ALTER TABLE h_parent ALTER a SET STORAGE EXTERNAL, ALTER a SET STATISTICS 500"),
    SQLObject("CREATE STATISTICS h_s (ndistinct, mcv) ON id, a FROM h_parent"),
    SQLObject("ALTER TABLE h_parent REPLICA IDENTITY FULL"), SQLObject("CLUSTER h_parent USING h_parent_pkey"))
""",
    "vectors": """
declare(m, Extension("vector"))
Table("e_t", m, Column("id", Integer, primary_key=True), Column("a", VECTOR(3), server_default="[1,2,3]"), Column("b",
    HALFVEC(4)), Column("c", SPARSEVEC(5)), Column("d", BIT(8)), Column("e", ARRAY(VECTOR(2))), Column("f", VECTOR),
    Index("e_1", "a", postgresql_using="hnsw", postgresql_with={"m": 8, "ef_construction": 40},
        postgresql_ops={"a": "vector_cosine_ops"}), Index("e_2", "d", postgresql_using="hnsw", postgresql_ops={"d":
        "bit_hamming_ops"}), Index("e_3", text("(f::vector(3)) vector_l2_ops"), postgresql_using="ivfflat"))
""",
    "sequences": """
Sequence("z_a", start=10, increment=-2, minvalue=-100, maxvalue=10, cycle=True, cache=5, data_type=SmallInteger,
    metadata=m)
z = Sequence("z_b", metadata=m)
Table("z_t", m, Column("id", Integer, z, server_default=z.next_value(), primary_key=True), Column("n", BigInteger,
    server_default=text("nextval('z_a') * 2")))
declare(m, SQLObject("ALTER SEQUENCE z_b OWNED BY z_t.id"), SQLObject("COMMENT ON SEQUENCE z_a IS 'it''s'"))
""",
    "text search and collations": """
declare(m, SQLObject("CREATE TEXT SEARCH CONFIGURATION x_simple (COPY = simple)", before_tables=True),
    SQLObject("CREATE COLLATION x_num (locale = 'C')"),
    SQLObject("CREATE COLLATION x_ci (lc_collate = 'C', lc_ctype = 'POSIX')"))
Table("x_t", m, Column("a", Text(collation="x_num"), index=True), Column("b", String(20, collation="x_ci"),
    unique=True),
    Column("v", TSVECTOR, Computed("to_tsvector('x_simple', a)", persisted=True)),
    CheckConstraint('a COLLATE "C" <> b'))
""",
}
