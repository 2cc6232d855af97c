"""Kinds of change, each as two revisions, and the models of the release before it and of the one that brings it."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field

ID = {"id": "mapped_column(sa.BigInteger, sa.Identity(), primary_key=True)"}
TEXT = "mapped_column(sa.Text)"


@dataclass(frozen=True)
class Model:
    """Of the table `customers`: its columns as Python writes them, and those that each request writes."""

    columns: Mapping[str, str]
    writes: tuple[str, ...]

    @classmethod
    def of(cls, *names: str, **others: str) -> "Model":
        """Texts that are written, and others with their declarations, which are not."""
        return cls({**ID, **dict.fromkeys(names, TEXT), **others}, names)

    @classmethod
    def of_json(cls, text: str) -> "Model":
        """The way back from `as_json`."""
        data = json.loads(text)
        return cls(data["columns"], tuple(data["writes"]))

    def as_json(self) -> str:
        """For the command line of a process."""
        return json.dumps(asdict(self))


@dataclass(frozen=True)
class Change:
    """One kind."""

    name: str
    expand: str
    back: str
    """The downgrade of `expand`."""
    contract: str = ""
    """Nothing where the expand is all of it."""
    again: str = "pass"
    """The downgrade of `contract`."""
    table: str = "mail text"
    old: Model = field(default_factory=lambda: Model.of("mail"))
    new: Model = field(default_factory=lambda: Model.of("mail"))


_IN_STEP = """
CREATE FUNCTION in_step() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
  IF TG_OP = 'INSERT' THEN
    NEW.email := coalesce(NEW.email, NEW.mail);
    NEW.mail := NEW.email;
  ELSIF NEW.mail IS DISTINCT FROM OLD.mail THEN NEW.email := NEW.mail;
  ELSE NEW.mail := NEW.email;
  END IF;
  RETURN NEW;
END $$
"""
_TRIGGER = (
    "CREATE TRIGGER in_step BEFORE INSERT OR UPDATE OF mail, email ON customers FOR EACH ROW EXECUTE FUNCTION in_step()"
)


def _renamed(to: str, name: str) -> str:
    """A second column, which is kept in step with the first one in both directions."""
    return f'''op.add_column("customers", sa.Column("{to}", sa.Text))
    op.execute("""{_IN_STEP}""")
    op.execute("{_TRIGGER}")
    op.backfill("customers", {{"{to}": "{name}"}}, where="{to} IS DISTINCT FROM {name}")'''


CHANGES = (
    Change(
        "a column comes",
        'op.add_column("customers", sa.Column("note", sa.Text))',
        'op.drop_column("customers", "note")',
        new=Model.of("mail", "note"),
    ),
    Change(
        "a column comes that is NOT NULL and has a default",
        'op.add_column("customers", sa.Column("note", sa.Text, server_default="none", nullable=False))',
        'op.drop_column("customers", "note")',
        new=Model.of("mail", note="mapped_column(sa.Text, server_default='none', nullable=False)"),
    ),
    Change(
        "a column goes",
        'op.alter_column("customers", "fax", nullable=True)',
        '"""Rows without one may be there by now."""',
        'op.drop_column("customers", "fax")',
        'op.add_column("customers", sa.Column("fax", sa.Text))',
        table="mail text, fax text NOT NULL",
        old=Model.of("mail", "fax"),
    ),
    Change(
        "a column gets another name",
        _renamed("email", "mail"),
        'op.execute("DROP TRIGGER in_step ON customers"); op.execute("DROP FUNCTION in_step()");'
        ' op.drop_column("customers", "email")',
        'op.execute("DROP TRIGGER in_step ON customers"); op.execute("DROP FUNCTION in_step()");'
        ' op.drop_column("customers", "mail")',
        _renamed("mail", "email"),
        new=Model.of("email"),
    ),
    Change(
        "a column gets a wider type",
        'op.alter_column("customers", "points", type_=sa.BigInteger())',
        'op.alter_column("customers", "points", type_=sa.Integer())',
        table="mail text, points int DEFAULT 7",
        old=Model.of("mail", points="mapped_column(sa.Integer, server_default='7')"),
        new=Model.of("mail", points="mapped_column(sa.BigInteger, server_default='7')"),
    ),
    Change(
        "a column becomes NOT NULL",
        "pass",
        "pass",
        'op.alter_column("customers", "mail", nullable=False)',
        'op.alter_column("customers", "mail", nullable=True)',
    ),
    Change(
        "a check comes",
        "pass",
        "pass",
        """op.create_check_constraint("has_at", "customers", "mail LIKE '%@%'")""",
        'op.drop_constraint("has_at", "customers")',
    ),
    Change(
        "a column becomes unique",
        "pass",
        "pass",
        'op.create_unique_constraint("one_mail", "customers", ["mail"])',
        'op.drop_constraint("one_mail", "customers")',
    ),
    Change(
        "an index and a table that refers to it come",
        'op.create_index("by_mail", "customers", ["mail"]);'
        ' op.create_table("notes", sa.Column("customer", sa.BigInteger, sa.ForeignKey("customers.id")))',
        'op.drop_table("notes"); op.drop_index("by_mail", "customers")',
    ),
    Change(
        "a column goes whose values are kept for a while",
        'op.alter_column("customers", "fax", nullable=True)',
        '"""Rows without one may be there by now."""',
        'op.keep_aside("customers", "fax", by=["id"], keep_for="1 day"); op.drop_column("customers", "fax")',
        'op.add_column("customers", sa.Column("fax", sa.Text)); op.bring_back("customers", "fax", by=["id"])',
        table="mail text, fax text NOT NULL",
        old=Model.of("mail", "fax"),
    ),
    Change(
        "a column may be NULL",
        'op.alter_column("customers", "mail", nullable=True)',
        'op.alter_column("customers", "mail", nullable=False)',
        table="mail text NOT NULL",
    ),
    Change(
        "a column gets a default",
        """op.alter_column("customers", "mail", server_default="none")""",
        'op.alter_column("customers", "mail", server_default=None)',
    ),
    Change(
        "an index goes",
        'op.drop_index("by_mail", "customers")',
        'op.create_index("by_mail", "customers", ["mail"])',
        table="mail text); CREATE INDEX by_mail ON customers (mail",
    ),
    Change(
        "a text may be longer",
        'op.alter_column("customers", "mail", type_=sa.String(200))',
        'op.alter_column("customers", "mail", type_=sa.String(100))',
        table="mail varchar(100)",
    ),
    Change(
        "a check goes",
        'op.drop_constraint("has_at", "customers")',
        """op.create_check_constraint("has_at", "customers", "mail LIKE '%@%'")""",
        table="mail text CONSTRAINT has_at CHECK (mail LIKE '%@%')",
    ),
)
