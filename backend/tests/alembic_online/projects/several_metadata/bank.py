from decimal import Decimal

from sqlalchemy import CheckConstraint, ForeignKey, MetaData, Numeric, String
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


class BankBase(DeclarativeBase):
    metadata = MetaData(naming_convention={"ix": "idx_%(table_name)s_%(column_0_name)s"})


class Account(BankBase):
    __tablename__ = "account"
    __table_args__ = (CheckConstraint("balance >= 0", name="account_balance_check"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    owner: Mapped[str] = mapped_column(String(60))
    currency: Mapped[str] = mapped_column(String(3), server_default="EUR")
    balance: Mapped[Decimal] = mapped_column(Numeric(14, 2), server_default="0")


class Transfer(BankBase):
    __tablename__ = "transfer"

    id: Mapped[int] = mapped_column(primary_key=True)
    source_id: Mapped[int] = mapped_column(ForeignKey("account.id", name="transfer_source_id_fkey"), index=True)
    target_id: Mapped[int] = mapped_column(ForeignKey("account.id", name="transfer_target_id_fkey"), index=True)
    amount: Mapped[Decimal] = mapped_column(Numeric(14, 2))
