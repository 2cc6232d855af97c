"""Where the models meet the toolkit."""

from src.db.models import Base
from src.safety import run_environment
from src.settings import load_settings

run_environment(Base.metadata, url=load_settings().migration_url)
