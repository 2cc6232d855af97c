"""`python -m tests.alembic_online.releases.worker URL RELEASE REVISION MODEL REPORT`: a process of one release.

It writes, reads and changes rows by its own model until it is told to stop by SIGTERM; then it writes down which writes
the database has acknowledged, what failed, and the longest time that a request took.
"""

import itertools
import json
import os
import signal
import sys
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import DeclarativeBase, Session, mapped_column

from alembic_online import retry_outdated_plans, stamp_engine
from tests.alembic_online.releases.changes import Model


def mapped(model: Model) -> Any:
    """The model as a class of SQLAlchemy's."""

    class Base(DeclarativeBase):
        pass

    columns = {name: eval(code, {"sa": sa, "mapped_column": mapped_column}) for name, code in model.columns.items()}
    return type("Customer", (Base,), {"__tablename__": "customers", "__annotations__": {}, **columns})


def work(engine: sa.Engine, model: Model, report: SimpleNamespace) -> None:
    """One request after the other."""
    entity = mapped(model)
    stopped: list[int] = []
    signal.signal(signal.SIGTERM, lambda number, _: stopped.append(number))
    for number in itertools.count():
        if stopped:
            return
        began = time.monotonic()
        try:
            with Session(engine, expire_on_commit=False) as session:
                text = f"{os.getpid()}-{number}@example.org"
                row = entity(**dict.fromkeys(model.writes, text))
                session.add(row)
                session.commit()
                key = row.id
                report.written[key] = text
                if number % 3 == 0:
                    found = session.get(entity, key, populate_existing=True)
                    for name in model.writes:
                        setattr(found, name, f"new {text}")
                    session.commit()
                    report.written[key] = f"new {text}"
        except sa.exc.SQLAlchemyError as error:
            report.failed.append(str(error).splitlines()[0])
        report.longest = max(report.longest, time.monotonic() - began)
        report.requests += 1
        if number == 20:
            sys.stdout.write("at work\n")
            sys.stdout.flush()


def main() -> None:
    """The process."""
    url, release, revision, model, path = sys.argv[1:]
    engine = sa.create_engine(url.replace("postgresql://", "postgresql+psycopg://", 1), pool_size=1)
    retry_outdated_plans(engine)
    stamp_engine(engine, revision, product="shop", release=release)
    report = SimpleNamespace(written={}, failed=[], longest=0.0, requests=0)
    work(engine, Model.of_json(model), report)
    engine.dispose()
    Path(path).write_text(json.dumps(vars(report)))


if __name__ == "__main__":
    main()
