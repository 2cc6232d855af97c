from datetime import datetime

from sqlalchemy import DateTime, ForeignKey, Numeric, String
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


class Base(DeclarativeBase):
    pass


class Station(Base):
    __tablename__ = "stations"

    id: Mapped[int] = mapped_column(primary_key=True)
    code: Mapped[str] = mapped_column(String(8), unique=True)
    labels: Mapped[list[str]] = mapped_column(ARRAY(String(20)), server_default="{}")


class Reading(Base):
    __tablename__ = "readings"

    station_id: Mapped[int] = mapped_column(
        ForeignKey("stations.id", name="readings_station_id_fkey"), primary_key=True
    )
    at: Mapped[datetime] = mapped_column(DateTime(timezone=True), primary_key=True)
    celsius: Mapped[float] = mapped_column(Numeric(5, 2))
