"""The application: it owns the engine."""

import os

from sqlalchemy import Engine, create_engine


class App:
    def __init__(self, engine: Engine) -> None:
        self.engine = engine


def create_app() -> App:
    url = os.environ["DATABASE_URL"].replace("postgresql://", "postgresql+psycopg://", 1)
    return App(create_engine(url, pool_pre_ping=True, pool_size=5, connect_args={"application_name": "clinic"}))
