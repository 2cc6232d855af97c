from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    DateTime,
    ForeignKey,
    Identity,
    Integer,
    MetaData,
    String,
    Table,
    UniqueConstraint,
    false,
)

db = MetaData()
doctor = Table(
    "doctor",
    db,
    Column("id", Integer, primary_key=True),
    Column("name", String(100), nullable=False),
    Column("room", String(10)),
)
visit = Table(
    "visit",
    db,
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("doctor_id", Integer, ForeignKey("doctor.id", name="visit_doctor_id_fkey"), nullable=False),
    Column("patient", String(100), nullable=False),
    Column("at", DateTime(timezone=True), nullable=False),
    Column("cancelled", Boolean, nullable=False, server_default=false()),
    UniqueConstraint("doctor_id", "at", name="visit_doctor_id_at_key"),
)
