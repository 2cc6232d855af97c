"""Models as other people write them with the ORM: each is a schema of its own, with names that no other has."""

MODELS = {
    "joined inheritance": """
class Person(Base):
    __tablename__ = "person"
    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(String(20))
    __mapper_args__ = {"polymorphic_on": "kind", "polymorphic_identity": "person"}
class Engineer(Person):
    __tablename__ = "engineer"
    id: Mapped[int] = mapped_column(ForeignKey("person.id", ondelete="CASCADE"), primary_key=True)
    language: Mapped[str | None]
    __mapper_args__ = {"polymorphic_identity": "engineer"}
class Lead(Engineer):
    __tablename__ = "lead_engineer"
    id: Mapped[int] = mapped_column(ForeignKey("engineer.id"), primary_key=True)
    team: Mapped[list[str]] = mapped_column(ARRAY(Text), server_default="{}")
    __mapper_args__ = {"polymorphic_identity": "lead"}
""",
    "single table inheritance": """
class Vehicle(Base):
    __tablename__ = "vehicle"
    id: Mapped[int] = mapped_column(Identity(always=True, start=100, cycle=True, maxvalue=9999), primary_key=True)
    type: Mapped[str] = mapped_column(Enum("car", "bike", native_enum=False, length=10, create_constraint=True,
    name="sort"))
    __mapper_args__ = {"polymorphic_on": "type", "polymorphic_abstract": True}
class Car(Vehicle):
    doors: Mapped[int | None] = mapped_column(SmallInteger, CheckConstraint("doors BETWEEN 1 AND 5"))
    __mapper_args__ = {"polymorphic_identity": "car"}
class Bike(Vehicle):
    gears: Mapped[int | None] = mapped_column(use_existing_column=True)
    __mapper_args__ = {"polymorphic_identity": "bike"}
""",
    "concrete inheritance": """
class Shape(Base):
    __tablename__ = "shape"
    id: Mapped[int] = mapped_column(primary_key=True)
    colour: Mapped[str] = mapped_column(server_default="#000")
class Circle(Shape):
    __tablename__ = "circle"
    id: Mapped[int] = mapped_column(primary_key=True)
    colour: Mapped[str] = mapped_column(server_default="#fff")
    radius: Mapped[float] = mapped_column(Float(24))
    __mapper_args__ = {"concrete": True}
""",
    "an association table and an association object": """
follows = Table("follow", m, Column("who", ForeignKey("member.id", ondelete="CASCADE"), primary_key=True),
    Column("whom", ForeignKey("member.id", ondelete="CASCADE"), primary_key=True), CheckConstraint("who <> whom"))
class Member(Base):
    __tablename__ = "member"
    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, server_default=text("gen_random_uuid()"))
    friends: Mapped[list["Member"]] = relationship(secondary=follows, primaryjoin=id == follows.c.who,
        secondaryjoin=id == follows.c.whom)
class Membership(Base):
    __tablename__ = "membership"
    member_id: Mapped[uuid.UUID] = mapped_column(ForeignKey(Member.id), primary_key=True)
    group: Mapped[str] = mapped_column(String(40), primary_key=True)
    since: Mapped[datetime.date] = mapped_column(server_default=func.current_date())
    weight: Mapped[decimal.Decimal] = mapped_column(Numeric(10, 2), server_default="0.00")
""",
    "a type decorator of each sort": """
class Money(TypeDecorator):
    impl, cache_ok = Numeric(12, 2), True
class GUID(TypeDecorator):
    impl, cache_ok = CHAR(32), True
    def load_dialect_impl(self, dialect):
        return dialect.type_descriptor(UUID() if dialect.name == "postgresql" else CHAR(32))
class Tags(TypeDecorator):
    impl, cache_ok = ARRAY(String(10)), True
class Json(TypeDecorator):
    impl, cache_ok = JSON().with_variant(JSONB(), "postgresql"), True
class Cube(UserDefinedType):
    def get_col_spec(self, **_):
        return "numeric(7, 3)[]"
class Product(Base):
    __tablename__ = "product"
    id: Mapped[str] = mapped_column(GUID, primary_key=True)
    price: Mapped[int] = mapped_column(Money, server_default="9.90")
    tags: Mapped[str] = mapped_column(Tags, server_default=text("ARRAY['a', 'it''s']::varchar[]"))
    extra: Mapped[str] = mapped_column(Json, server_default=text("'{\\"a\\": [1, null]}'::jsonb"))
    size: Mapped[str | None] = mapped_column(Cube, server_default="{1,2.5}")
""",
    "enums in every way": """
class Level(enum.Enum):
    low = "L"
    high = "it's high, isn't it?"
class Ticket(Base):
    __tablename__ = "ticket"
    id: Mapped[int] = mapped_column(primary_key=True)
    by_name: Mapped[Level] = mapped_column(server_default="low")
    by_value: Mapped[Level] = mapped_column(
        Enum(Level, name="level_value", values_callable=lambda e: [x.value for x in e]),
        server_default=Level.high.value)
    text_: Mapped[Level] = mapped_column("text", Enum(Level, native_enum=False, create_constraint=True,
    name="level_text"))
    unchecked: Mapped[Level | None] = mapped_column(Enum(Level, native_enum=False))
    many: Mapped[list[Level]] = mapped_column(ARRAY(Enum(Level, name="level_value2")), server_default="{}")
    flag: Mapped[bool] = mapped_column(Boolean(create_constraint=True, name="flag"), server_default=false())
    literal: Mapped[typing.Literal["a", "b c"]] = mapped_column(server_default="b c")
""",
    "mixins, column order and abstract bases": """
class Stamped:
    created: Mapped[datetime.datetime] = mapped_column(DateTime(timezone=True), server_default=func.now(),
    sort_order=99)
    updated: Mapped[datetime.datetime | None] = mapped_column(onupdate=func.now(), server_onupdate=FetchedValue())
    @declared_attr
    def owner(cls) -> Mapped[int | None]:
        return mapped_column(ForeignKey("owner.id", name=f"fk_{cls.__name__}"), index=True)
class Owner(Base):
    __tablename__ = "owner"
    id: Mapped[int] = mapped_column(primary_key=True)
class House(Stamped, Base):
    __tablename__ = "house"
    id: Mapped[int] = mapped_column(BigInteger, primary_key=True, sort_order=-1)
    @declared_attr.directive
    def __table_args__(cls):
        return (UniqueConstraint("owner", "created"), {"comment": f"the table of {cls.__name__}: 100%"})
class Boat(Stamped, Base):
    __tablename__ = "boat"
    id: Mapped[int] = mapped_column(SmallInteger, primary_key=True)
""",
    "a closure table and a materialised path": """
class Node(Base):
    __tablename__ = "node"
    id: Mapped[int] = mapped_column(primary_key=True)
    parent_id: Mapped[int | None] = mapped_column(ForeignKey("node.id", ondelete="SET NULL", onupdate="CASCADE"))
    path: Mapped[str] = mapped_column(Text(collation="C"), unique=True)
    depth: Mapped[int] = mapped_column(Computed("length(path) - length(replace(path, '/', ''))", persisted=True))
    children: Mapped[list["Node"]] = relationship(remote_side=[id])
    __table_args__ = (Index("node_prefix", "path", postgresql_ops={"path": "text_pattern_ops"}),
        CheckConstraint("path ~ '^(/[a-z0-9:%_-]+)+$'", name="path_form"))
class NodeClosure(Base):
    __tablename__ = "node_closure"
    above: Mapped[int] = mapped_column(ForeignKey(Node.id), primary_key=True)
    below: Mapped[int] = mapped_column(ForeignKey(Node.id), primary_key=True)
""",
    "a cycle of foreign keys": """
class Department(Base):
    __tablename__ = "department"
    id: Mapped[int] = mapped_column(primary_key=True)
    head_id: Mapped[int | None] = mapped_column(ForeignKey("worker.id", use_alter=True, name="fk_head", deferrable=True,
        initially="DEFERRED"))
class Worker(Base):
    __tablename__ = "worker"
    id: Mapped[int] = mapped_column(primary_key=True)
    department_id: Mapped[int] = mapped_column(ForeignKey("department.id"))
class Desk(Base):
    __tablename__ = "desk"
    id: Mapped[int] = mapped_column(primary_key=True)
    lamp_id: Mapped[int | None] = mapped_column(ForeignKey("lamp.id"))
class Lamp(Base):
    __tablename__ = "lamp"
    id: Mapped[int] = mapped_column(primary_key=True)
    desk_id: Mapped[int | None] = mapped_column(ForeignKey("desk.id"))
""",
    "versions and soft deletes": """
class Document(Base):
    __tablename__ = "document"
    id: Mapped[int] = mapped_column(primary_key=True)
    version: Mapped[int] = mapped_column(server_default=text("1"))
    slug: Mapped[str] = mapped_column(String(80))
    deleted_at: Mapped[datetime.datetime | None] = mapped_column(TIMESTAMP(timezone=True, precision=3))
    __mapper_args__ = {"version_id_col": version}
    __table_args__ = (Index("only_one", func.lower(slug), unique=True, postgresql_where=deleted_at.is_(None)),
        Index(None, slug.desc().nulls_last(), deleted_at.asc()))
class DocumentVersion(Base):
    __tablename__ = "document_version"
    document_id: Mapped[int] = mapped_column(primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True)
    body: Mapped[str] = mapped_column(deferred=True)
    __table_args__ = (ForeignKeyConstraint(["document_id"], ["document.id"], ondelete="CASCADE", match="FULL"),)
""",
    "dataclasses, column_property and a select": """
class Account(MappedAsDataclass, Base):
    __tablename__ = "account"
    id: Mapped[int] = mapped_column(primary_key=True, init=False)
    first: Mapped[str] = mapped_column(String(30), insert_default="x")
    last: Mapped[str] = mapped_column(default="y")
    full: Mapped[str] = column_property(first + " " + last)
""",
    "composites of columns and one table in two schemas": """
@dataclasses.dataclass
class Point:
    x: int
    y: int
class Line(Base):
    __tablename__, __table_args__ = "line", {"schema": "geometry"}
    id: Mapped[int] = mapped_column(primary_key=True)
    begin: Mapped[Point] = composite(mapped_column("x1"), mapped_column("y1"))
    end: Mapped[Point] = composite(mapped_column("x2"), mapped_column("y2"))
class Line2(Base):
    __tablename__, __table_args__ = "line", {"schema": "Geometry Two"}
    id: Mapped[int] = mapped_column(ForeignKey("geometry.line.id"), primary_key=True)
""",
    "a primary key of three columns in another order, and serials": """
class Reading(Base):
    __tablename__ = "reading"
    value: Mapped[float]
    sensor: Mapped[int] = mapped_column(SmallInteger)
    at: Mapped[datetime.datetime] = mapped_column(DateTime(timezone=True))
    number: Mapped[int] = mapped_column(Sequence("reading_number", start=5, increment=5, metadata=m),
        server_default=text("nextval('reading_number')"))
    serial: Mapped[int] = mapped_column(SmallInteger, autoincrement=True)
    __table_args__ = (PrimaryKeyConstraint("at", "sensor", "serial", name="reading_key"),)
""",
    "annotated types": """
small = typing.Annotated[str, mapped_column(String(12))]
key = typing.Annotated[int, mapped_column(BigInteger, Identity(), primary_key=True)]
stamp = typing.Annotated[datetime.datetime, mapped_column(server_default=func.clock_timestamp())]
class Event(Base):
    __tablename__ = "event"
    id: Mapped[key]
    name: Mapped[small]
    other: Mapped[small | None]
    at: Mapped[stamp]
    took: Mapped[datetime.timedelta] = mapped_column(server_default="1 day 02:00")
    blob: Mapped[bytes] = mapped_column(server_default=text("'\\\\xdeadbeef'::bytea"))
    when: Mapped[datetime.time] = mapped_column(server_default="08:30")
    big: Mapped[decimal.Decimal | None]
""",
}
