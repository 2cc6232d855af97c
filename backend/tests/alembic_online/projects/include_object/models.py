from sqlalchemy import Column, Computed, Float, ForeignKey, Index, Integer, MetaData, String, Table, Text

metadata = MetaData()
places = Table(
    "places",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("name", Text, nullable=False),
    Column("kind", String(20), nullable=False),
    Column("latitude", Float, nullable=False),
    Column("longitude", Float, nullable=False),
    Column("northern", String(5), Computed("CASE WHEN latitude >= 0 THEN 'north' ELSE 'south' END", persisted=True)),
    Index("ix_geo_places_kind", "kind", "name"),
    schema="geo",
)
roads = Table(
    "roads",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("starts_at", Integer, ForeignKey("geo.places.id", name="fk_roads_starts_at"), nullable=False),
    Column("ends_at", Integer, ForeignKey("geo.places.id", name="fk_roads_ends_at"), nullable=False),
    Column("length", Float),
)
statistics = Table("place_statistics", metadata, Column("kind", String(20)), info={"skip_autogenerate": True})
