from sqlalchemy import Computed, ForeignKey, Index, String, Text
from sqlalchemy.dialects.postgresql import INTERVAL, TSVECTOR
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


class Base(DeclarativeBase):
    pass


class Dish(Base):
    __tablename__ = "dish"
    __table_args__ = (Index("ix_dish_words", "words", postgresql_using="gin"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(Text, unique=True)
    takes: Mapped[object | None] = mapped_column(INTERVAL)
    words: Mapped[object | None] = mapped_column(
        TSVECTOR, Computed("to_tsvector('simple'::regconfig, name)", persisted=True)
    )


class Ingredient(Base):
    __tablename__ = "ingredient"

    dish_id: Mapped[int] = mapped_column(ForeignKey("dish.id", ondelete="CASCADE"), primary_key=True)
    name: Mapped[str] = mapped_column(String(60), primary_key=True)
    grams: Mapped[int] = mapped_column(server_default="0")
