import enum

from sqlalchemy import Boolean, CheckConstraint, Enum, ForeignKey, Integer, MetaData, String, Text, true
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


class Base(DeclarativeBase):
    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(column_0_label)s",
            "uq": "uq_%(table_name)s_%(column_0_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )


class Priority(enum.Enum):
    LOW = "low"
    HIGH = "high"


class List(Base):
    __tablename__ = "lists"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(80), unique=True)


class Todo(Base):
    __tablename__ = "todos"
    __table_args__ = (CheckConstraint("minutes > 0", name="minutes"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    list_id: Mapped[int | None] = mapped_column(ForeignKey("lists.id"))
    title: Mapped[str] = mapped_column(Text)
    open: Mapped[bool] = mapped_column(Boolean, server_default=true())
    minutes: Mapped[int | None] = mapped_column(Integer)
    priority: Mapped[Priority] = mapped_column(Enum(Priority, name="priority"), server_default="LOW")
