from sqlalchemy import CheckConstraint, Column, ForeignKey, Integer, MetaData, String, Table, Text

metadata = MetaData()
product = Table(
    "product",
    metadata,
    Column("sku", String(20), primary_key=True),
    Column("name", Text, nullable=False),
)
stock = Table(
    "stock",
    metadata,
    Column("sku", String(20), ForeignKey("product.sku", name="stock_sku_fkey"), primary_key=True),
    Column("place", String(10), primary_key=True),
    Column("pieces", Integer, nullable=False, server_default="0"),
    Column("reserved", Integer, nullable=False, server_default="0"),
    CheckConstraint("pieces >= reserved", name="stock_reserved"),
)
