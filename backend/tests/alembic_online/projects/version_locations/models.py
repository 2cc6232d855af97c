from sqlalchemy import Column, Date, ForeignKey, Index, Integer, MetaData, String, Table, Text

metadata = MetaData()
articles = Table(
    "articles",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("slug", String(80), nullable=False, unique=True),
    Column("body", Text, nullable=False),
    Column("published", Date),
)
comments = Table(
    "comments",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("article_id", Integer, ForeignKey("articles.id", name="comments_article_id_fkey"), nullable=False),
    Column("text", Text, nullable=False),
    Index("ix_comments_article", "article_id", "id"),
)
