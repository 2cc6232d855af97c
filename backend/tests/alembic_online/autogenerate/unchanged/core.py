"""Tables as other people write them without the ORM; names that no other has."""

MODELS = {
    "unnamed everything": """
Table("u_parent", m, Column("a", Integer), Column("b", Text), PrimaryKeyConstraint("a", "b"), UniqueConstraint("b",
    "a"))
Table("u_child", m, Column("x", Integer, unique=True), Column("y", Text, index=True), Column("z", Integer),
    ForeignKeyConstraint(["x", "y"], ["u_parent.a", "u_parent.b"]), CheckConstraint("x > 0"), CheckConstraint("z > x"),
    CheckConstraint("x > 0"), UniqueConstraint("x", "z"), UniqueConstraint("z", "x"))
""",
    "reserved words and mixed case": """
Table("order", m, Column("user", Integer, primary_key=True), Column("select", Text, unique=True, server_default="from"),
    Column("Group By", Integer, Identity()), Column("ÄÖ", Text, index=True), Column('quo"te', Integer),
    Column("100%", Text, key="percent"), Column("a:b", Text), CheckConstraint('"Group By" > 0', name="Check It"))
Table("User Table", m, Column("Id", BigInteger, primary_key=True), Column("order", ForeignKey("order.user"),
    index=True),
    schema="Mixed Case")
""",
    "names as long as they can be": """
Table("l" * 63, m, Column("c" * 63, Integer, primary_key=True), Column("d" * 60, Integer, index=True, unique=False),
    Column("e" * 63, Integer, unique=True), CheckConstraint("e" * 63 + " > 0"))
""",
    "server defaults with quotes": """
Table("d_quotes", m, Column("a", Text, server_default="it's"), Column("b", Text, server_default=text("'it''s'")),
    Column("c", Text, server_default='say "hi"'), Column("d", Text, server_default="back\\\\slash"),
    Column("e", Text, server_default=""), Column("f", Text, server_default=" "), Column("g", Text,
    server_default="NULL"),
    Column("h", Text, server_default="line\\nbreak\\ttab"), Column("i", Text, server_default="%(x)s %s :y ::z"),
    Column("j", String(3), server_default="abc"), Column("k", CHAR(5), server_default="x"),
    Column("l", Text, server_default="now()"), Column("m", Text, server_default=text("E'a\\\\\\\\nb'")))
""",
    "server defaults of json": """
Table("d_json", m, Column("a", JSON, server_default="{}"), Column("b", JSONB, server_default=text("'{}'::jsonb")),
    Column("c", JSONB, server_default='{"a": "it\\'s", "b": [1, 2.50, null], "c:d": "%s"}'),
    Column("d", JSONB, server_default="[]"), Column("e", JSON, server_default=text("'null'")),
    Column("f", JSONB, server_default=text("jsonb_build_object('a', 1)")),
    Column("g", JSONB(none_as_null=True), server_default=text("'{\\"b\\"\\\\:1,  \\"a\\"\\\\: 2}'")))
""",
    "server defaults of numbers": """
Table("d_numbers", m, Column("a", Numeric(10, 2), server_default="0.00"), Column("b", Numeric, server_default="1e3"),
    Column("c", Integer, server_default=text("-1")), Column("d", Integer, server_default="-1"),
    Column("e", Float, server_default="1.0"), Column("f", REAL, server_default=text("1 / 3.0")),
    Column("g", BigInteger, server_default=text("9223372036854775807")), Column("h", SmallInteger, server_default="7"),
    Column("i", Double, server_default=text("'NaN'")), Column("j", Numeric(5), server_default=text("(1 + 2) * 3")),
    Column("k", MONEY, server_default="12.30"), Column("l", Float(53), server_default=text("random()")))
""",
    "server defaults of times": """
Table("d_times", m, Column("a", DateTime, server_default=func.now()), Column("b", DateTime(timezone=True),
    server_default=text("now() + interval '1 day'")), Column("c", Date, server_default=text("CURRENT_DATE")),
    Column("d", Date, server_default="2020-01-31"), Column("e", TIMESTAMP, server_default=text("CURRENT_TIMESTAMP")),
    Column("f", Interval, server_default="1 year 2 mons"), Column("g", INTERVAL(fields="DAY TO SECOND", precision=2)),
    Column("h", Time(timezone=True), server_default=text("CURRENT_TIME")), Column("i", Time, server_default="00:00"),
    Column("j", DateTime(timezone=True), server_default="2020-01-01 00:00:00+02"), Column("k", INTERVAL(precision=0)),
    Column("l", DateTime, server_default=text("timezone('utc', now())")), Column("m", TIME(precision=3)),
    Column("n", DateTime(timezone=True), server_default=text("date_trunc('hour', clock_timestamp())")))
""",
    "server defaults of arrays and odd types": """
Table("d_arrays", m, Column("a", ARRAY(Text), server_default="{}"), Column("b", ARRAY(Integer), server_default=text(
    "ARRAY[]::integer[]")), Column("c", ARRAY(String(5)), server_default='{"a,b","it\\'s",NULL}'),
    Column("d", ARRAY(Integer, dimensions=2), server_default="{{1,2},{3,4}}"), Column("e", BIT(3), server_default=text(
    "B'101'")), Column("f", BIT(8, varying=True), server_default="1"), Column("g", INET, server_default="127.0.0.1"),
    Column("h", BYTEA, server_default=text("'\\\\x00ff'")), Column("i", Uuid, server_default=func.gen_random_uuid()),
    Column("j", INT4RANGE, server_default="[1,5)"), Column("k", TSTZRANGE,
    server_default=text("tstzrange(now(), NULL)")),
    Column("l", Boolean, server_default=true()), Column("m", Boolean, server_default="f"), Column("n", Boolean,
    server_default=text("(NOT true)")), Column("o", TSVECTOR, server_default="a b"))
""",
    "computed and identity columns": """
Table("g_columns", m, Column("id", Integer, Identity(always=True, start=7, increment=-1, minvalue=-99, maxvalue=7)),
    Column("a", Text), Column("b", Text, Computed("lower(a) || ':' || coalesce(a, 'it''s')", persisted=True)),
    Column("c", Integer, Computed("length(a) * 2", persisted=True), index=True, nullable=False),
    Column("d", BigInteger, Identity(cache=20, cycle=True)), Column("e", SmallInteger, Identity(), unique=True),
    Column("f", TSVECTOR, Computed("to_tsvector('english', coalesce(a, ''))", persisted=True)),
    Index("g_search", "f", postgresql_using="gin"))
""",
    "indexes of every sort": """
t = Table("i_sorts", m, Column("a", Text), Column("b", Integer), Column("c", JSONB), Column("d", ARRAY(Integer)),
    Column("e", TSVECTOR), Column("f", INT4RANGE), Column("g", DateTime(timezone=True)))
Index("i_1", func.lower(t.c.a), t.c.b.desc()); Index("i_2", text("(c ->> 'k')"), postgresql_where=t.c.b > 3)
Index("i_3", t.c.c, postgresql_using="gin", postgresql_ops={"c": "jsonb_path_ops"},
    postgresql_with={"fastupdate": "off"})
Index("i_4", t.c.f, postgresql_using="gist"); Index("i_5", t.c.a, postgresql_using="hash")
Index("i_6", t.c.b, postgresql_include=["a"], unique=True, postgresql_nulls_not_distinct=True)
Index("i_7", t.c.g, postgresql_using="brin", postgresql_with={"pages_per_range": 16})
Index("i_8", t.c.a.collate("C"), t.c.b.nulls_first()); Index("i_9", t.c.b + 1, t.c.a.desc().nulls_last())
Index("i_10", func.coalesce(t.c.a, "it's 100%:x"), postgresql_where=text("a <> '' AND b IN (1, 2, 3)"))
Index("i_11", extract("year", func.timezone("UTC", t.c.g))); Index("i_12", t.c.c["a"]["b"].astext)
Index("i_13", t.c.d, postgresql_using="gin"); Index("i_14", func.to_tsvector(text("'english'"), t.c.a),
    postgresql_using="gin")
""",
    "constraints of every sort": """
Table("c_sorts", m, Column("a", Integer, primary_key=True), Column("b", Text, CheckConstraint("b IN ('x', 'y')")),
    Column("c", INT4RANGE), Column("d", Numeric, CheckConstraint("d BETWEEN 0 AND 1", name="share")), Column("e",
    Integer),
    Column("f", JSONB, CheckConstraint("jsonb_typeof(f) = 'object'")), Column("g", Text),
    UniqueConstraint("b", "e", name="u1", deferrable=True, initially="DEFERRED"),
    UniqueConstraint("e", postgresql_nulls_not_distinct=True, postgresql_include=["b"]),
    ExcludeConstraint(("c", "&&"), name="no_overlap", where=text("b = 'x'")),
    CheckConstraint("NOT (b IS NULL AND g IS NULL)"), CheckConstraint("(b = 'x') = (e IS NOT NULL)", name="either"),
    CheckConstraint("g ~ '^[a-z]+$' AND g NOT LIKE '%\\\\_%'", name="form"), CheckConstraint("e::text <> g"))
""",
    "comments with odd characters": """
Table("k_comments", m, Column("a", Integer, primary_key=True, comment="it's \\"a\\" 100% :key \\\\ x"), Column("b",
    Text,
    comment="two\\nlines\\twith tab "), Column("c", Text, comment="ünïcödé 漢字 🎉"), Index("k_i", "b"),
    CheckConstraint("a > 0", name="k_c", comment="a ' check"), comment="-- not a comment; /* neither */ $$ $1 {x}")
""",
    "a table without columns that matter": """
Table("empty_one", m); Table("one", m, Column("x", Integer)); Table("null_only", m, Column("x", NullType().with_variant(
    Integer(), "postgresql")))
""",
    "types of the dialect": """
Table("t_all", m, *[Column(f"c{n}", t) for n, t in enumerate([SmallInteger, Float(10), REAL, Double, Numeric(8),
    Numeric,
    Date, Time(timezone=True), Interval, LargeBinary, BIT(4), BIT(varying=True), INET, CIDR, MACADDR, MACADDR8, MONEY,
    OID,
    REGCLASS, TSVECTOR, TSQUERY, JSON, JSONB, JSONPATH, ARRAY(Numeric(4, 1)), ARRAY(CHAR(3)), NUMRANGE, TSRANGE,
    DATEMULTIRANGE, Uuid, Uuid(as_uuid=False, native_uuid=False), CHAR, CHAR(3), String, Unicode(9), UnicodeText, Text,
    Text(collation="C"), String(5, collation="POSIX"), ARRAY(TIMESTAMP(precision=0)), PickleType, NCHAR(3),
    VARCHAR(0 + 1)])])
""",
    "foreign keys of every sort": """
Table("f_a", m, Column("id", Integer, primary_key=True), Column("x", Integer), Column("y", Integer),
    UniqueConstraint("x", "y"))
Table("f_b", m, Column("a1", ForeignKey("f_a.id", ondelete="SET DEFAULT", onupdate="RESTRICT"), server_default="1"),
    Column("a2", Integer, ForeignKey("f_a.id", deferrable=True, initially="IMMEDIATE", name="odd name")), Column("x",
    Integer),
    Column("y", Integer), ForeignKeyConstraint(["y", "x"], ["f_a.y", "f_a.x"], ondelete="SET NULL (x)", match="SIMPLE"),
    ForeignKeyConstraint(["x"], ["f_a.id"]), ForeignKeyConstraint(["a2"], ["f_a.id"], postgresql_not_valid=True,
    name="nv"))
""",
    "several schemas that refer to each other": """
Table("s_a", m, Column("id", Integer, primary_key=True), schema="north"); Table("s_a", m, Column("id", Integer,
    ForeignKey(
    "north.s_a.id"), primary_key=True), Column("e", Enum("x", name="s_e", schema="north")), schema="south")
Table("s_c", m, Column("a", ForeignKey("south.s_a.id")), Column("e", Enum("x", "y", name="s_e", schema="south")),
    Column("f", Enum("z", name="s_e", schema="north2")), schema="north2")
Sequence("s_q", schema="south", start=3, metadata=m)
Table("s_d", m, Column("n", Integer, server_default=text("nextval('south.s_q')"), index=True), schema="south")
""",
}
