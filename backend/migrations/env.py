"""Where the models meet the toolkit."""

# isort: off
from alembic_online import run_environment  # first: then models that do not import are a sentence
from src.db.models import Base
from src.settings import load_settings

settings = load_settings()
run_environment(Base.metadata, url=settings.migration_url, production=settings.is_production, expand_contract=True)
