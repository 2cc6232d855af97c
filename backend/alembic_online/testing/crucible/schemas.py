"""A random schema: two to five tables that refer to each other, and what hangs on them."""

from dataclasses import replace

from alembic_online.testing.crucible.dice import Dice
from alembic_online.testing.crucible.kinds import ALL, KINDS, VECTORS
from alembic_online.testing.crucible.schema import Attached, Column, Enum, Index, Reference, Rule, Schema, Table

WORDS = (
    "amount", "body", "code", "due", "email", "flag", "grade", "hint", "kind", "label", "mark", "note", "owner",
    "price", "rank", "size", "state", "title", "user", "value", "Weight", "zone",
)  # fmt: skip
TABLES = ("orders", "books", "people", "items", "visits", "groups", "parts", "Logs")
_LABELS = ("new", "open", "done", "lost", "it's", "Paid")
KEYS = ("integer", "bigint", "uuid", "serial", "identity")


def random_schema(seed: str) -> Schema:
    """Decided by the seed."""
    dice = Dice(f"schema {seed}")
    enums = tuple(random_enum(dice, name) for name in dice.some(("mood", "status", "level"), dice.number(0, 2)))
    vectors = dice.chance(0.12)
    schema = Schema(enums=enums, extensions=("vector",) if vectors else ())
    for name in dice.some(TABLES, dice.number(2, 5)):
        schema = replace(schema, tables=(*schema.tables, random_table(Dice(f"{seed} {name}"), schema, name)))
    for _ in range(dice.number(0, 3)):
        schema = attach(dice, schema)
    return schema


def random_enum(dice: Dice, name: str) -> Enum:
    """With two to four labels."""
    return Enum(name, tuple(dice.some(_LABELS, dice.number(2, 4))))


def random_table(dice: Dice, schema: Schema, name: str) -> Table:
    """Which may refer to those of the schema."""
    key = dice.one(KEYS)
    id_ = {
        "serial": Column("id", "serial", nullable=False),
        "identity": Column("id", "bigint", nullable=False, identity=dice.one(("always", "by default"))),
    }.get(key, Column("id", key, nullable=False, default="gen_random_uuid()" if key == "uuid" else ""))
    table = Table(name, (id_,), ("id",))
    if key in ("integer", "bigint") and dice.chance(0.15):
        table = replace(table, partitions=dice.number(1, 3))
    for word in dice.some(WORDS, dice.number(2, 6)):
        table = replace(table, columns=(*table.columns, random_column(dice, schema, word)))
    if schema.tables and dice.chance(0.6):
        table = refer(dice, schema, table)
    for _ in range(dice.number(0, 2)):
        table = generate(dice, table) if dice.chance(0.2) else rule(dice, table)
    for _ in range(dice.number(0, 2)):
        table = index(dice, table)
    return table


def random_column(dice: Dice, schema: Schema, name: str) -> Column:
    """Of any type that the schema has."""
    types = [*KINDS, *(VECTORS if schema.extensions else ()), *(enum.name for enum in schema.enums)]
    chosen = dice.one(types)
    nullable = dice.chance(0.5)
    return Column(name, chosen, nullable, random_default(dice, schema, chosen) if dice.chance(0.5) else "")


def random_default(dice: Dice, schema: Schema, type_: str) -> str:
    """An expression, or nothing where there is none for the type."""
    if labels := schema.labels(type_):
        return "'" + dice.one(labels).replace("'", "''") + "'"
    known = ALL[type_].defaults if type_ in ALL else ()
    return dice.one(known).replace("{{", "{").replace("}}", "}") if known else ""


def refer(dice: Dice, schema: Schema, table: Table) -> Table:
    """With a foreign key to a table that comes before it."""
    before = []
    for each in schema.tables:
        if each.name == table.name:
            break
        if len(each.key) == 1:
            before.append(each)
    if not before:
        return table
    target = dice.one(before, lambda each: each.name)
    name = f"{target.name.lower()}_id"
    if name in table.names or len(table.name + name) > 50:
        return table
    type_ = target.id.type.replace("bigserial", "bigint").replace("serial", "integer")
    nullable = dice.chance(0.5)
    deletes = dice.one(("", "CASCADE", "SET NULL" if nullable else "CASCADE"))
    reference = Reference(f"fk_{table.name.lower()}_{name}", name, target.name, deletes, target.id.name)
    column = Column(name, type_, nullable)
    return replace(table, columns=(*table.columns, column), references=(*table.references, reference))


def rule(dice: Dice, table: Table) -> Table:
    """With another unique constraint or check."""
    known = [column for column in table.plain if column.type in ALL]
    checked = [column for column in known if ALL[column.type].checks]
    if checked and dice.chance(0.5):
        column = dice.one(checked, lambda each: each.name)
        made = Rule(f"ck_{table.name}_{column.name}".lower(), (column.name,), dice.one(ALL[column.type].checks))
    else:
        distinct = [column for column in known if ALL[column.type].distinct and is_ordered(column.type)]
        if not distinct or table.partitions:
            return table
        column = dice.one(distinct, lambda each: each.name)
        made = Rule(f"uq_{table.name}_{column.name}".lower(), (column.name,))
    return table if made.name in {each.name for each in table.rules} else replace(table, rules=(*table.rules, made))


def index(dice: Dice, table: Table) -> Table:
    """With another index."""
    ordered = [column for column in table.columns if is_ordered(column.type)]
    if not ordered:
        return table
    column = dice.one(ordered, lambda each: each.name)
    expressions = ALL[column.type].indexes if column.type in ALL else ()
    expression = dice.one(expressions) if expressions and dice.chance(0.3) else ""
    others = [each.name for each in ordered if each is not column]
    columns = (column.name, dice.one(others)) if others and not expression and dice.chance(0.3) else (column.name,)
    where = "{0} IS NOT NULL" if dice.chance(0.2) else ""
    unique = not (expression or where or table.partitions) and dice.chance(0.15)
    unique = unique and column in table.plain and _is_distinct(column)
    made = Index(f"ix_{table.name}_{'_'.join(columns)}".lower(), columns, unique, expression, where)
    return (
        table if made.name in {each.name for each in table.indexes} else replace(table, indexes=(*table.indexes, made))
    )


def generate(dice: Dice, table: Table) -> Table:
    """With a stored generated column."""
    numbers = [column for column in table.plain if column.type in ("integer", "smallint")]
    texts = [column for column in table.plain if column.type in ("text", "varchar(20)", "varchar(40)")]
    if not numbers and not texts:
        return table
    column = dice.one(numbers or texts, lambda each: each.name)
    type_, expression = ("bigint", "{0} * 2") if numbers else ("text", "upper({0})")
    name = f"{column.name}_more"
    if name in table.names:
        return table
    made = Column(name, type_, generated=expression, reads=(column.name,))
    return replace(table, columns=(*table.columns, made))


def attach(dice: Dice, schema: Schema) -> Schema:
    """With another view, trigger or policy."""
    table = dice.one(schema.tables, lambda each: each.name)
    kind = dice.one(("view", "view", "trigger", "policy", "materialized view"))
    chosen = [column.name for column in table.plain] if kind == "trigger" else [*table.names]
    if not chosen:
        return schema
    columns = tuple(dice.some(chosen, 1 if kind in ("trigger", "policy") else dice.number(1, 4)))
    made = Attached(f"{table.name}_{kind.replace(' ', '_')}".lower(), kind, table.name, columns)
    there = {each.name for each in schema.attached}
    return schema if made.name in there else replace(schema, attached=(*schema.attached, made))


def is_ordered(type_: str) -> bool:
    """Whether a B-tree takes it."""
    return type_ not in ("json", *VECTORS, "vector", "xml")


def _is_distinct(column: Column) -> bool:
    return column.type in ALL and ALL[column.type].distinct
