"""What plain Alembic makes of three public chains, ours makes too: schema and rows, up and down."""

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest
from sqlalchemy import NullPool, create_engine

from alembic_online.audit.stand_ins import write_stand_ins
from alembic_online.postgres.catalogue import compare, describe
from alembic_online.sample_rows.row_factory import Filler
from alembic_online.sample_rows.tables import read_tables
from tests.alembic_online.public_chains.chains import CHAINS, Chain, Run
from tests.alembic_online.recipes.state import State, read_state
from tests.servers import Server, ServerDirectory, embedded, with_driver

pytestmark = [pytest.mark.prove, pytest.mark.timeout(1800)]


@pytest.fixture(scope="module")
def extended(server_directory: ServerDirectory) -> Iterator[Server]:
    """PostgreSQL 18 with stand-ins for the extensions that the wheel does not bring."""
    with server_directory() as folder:
        folder.chmod(0o755)  # the server may run as another user
        where = {"extension_control_path": write_stand_ins(folder, ["pg_trgm"])}
        with embedded(18, where) as running:
            yield running


@pytest.fixture(params=CHAINS, ids=lambda chain: chain.name)
def chain(request: pytest.FixtureRequest) -> Chain:
    return request.param  # type: ignore[no-any-return]  # pytest types it so


def test_both_ways_lead_to_the_same_end(
    chain: Chain, extended: Server, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    python = chain.install(tmp_path / "venv")
    plain = Run.of(chain, python, tmp_path / "plain", ours=False)
    ours = Run.of(chain, python, tmp_path / "ours", ours=True)
    with extended.database() as one, extended.database() as other:
        plain(one, "upgrade", chain.filled_at)
        _beside_clients(ours, other, "upgrade", chain.filled_at)
        _same(chain, read_state(one), read_state(other))
        _fill(chain, one)
        with extended.database(urlsplit(one).path[1:]) as copy:
            for way in (("upgrade", "heads"), ("downgrade", chain.back_with_rows)):
                plain(one, *way)
                _beside_clients(ours, copy, *way)
                _same(chain, read_state(one), read_state(copy))
    with extended.database() as one, extended.database() as other:
        ratio = ours(other, "upgrade", "heads") / plain(one, "upgrade", "heads")
        _same(chain, read_state(one), read_state(other))
        plain(one, "downgrade", chain.back_to)
        ours(other, "downgrade", chain.back_to)
        _same(chain, read_state(one), read_state(other))
    with capsys.disabled():
        print(f"\n{chain.name}: {ratio:.2f} times the processor time of plain Alembic, on an empty database")  # noqa: T201


def _beside_clients(run: Run, url: str, *command: str) -> None:
    """The careful way: each table counts as large, and somebody else is connected."""
    with psycopg.connect(url):
        run(url, *command, MIGRATION_SMALL_TABLE_BYTES="0")


def _fill(chain: Chain, url: str) -> None:
    engine = create_engine(with_driver(url, "psycopg"), poolclass=NullPool)
    with engine.begin() as connection:
        tables = read_tables(connection).values()
        Filler().fill(connection, [table for table in tables if table.short not in chain.left_empty])


def _same(chain: Chain, expected: State, found: State) -> None:
    differences = compare(expected.catalogue, found.catalogue)
    assert not differences, describe(differences)
    assert expected.fingerprint == found.fingerprint
    assert _known(chain, expected) == _known(chain, found)


def _known(chain: Chain, state: State) -> dict[str, list[list[tuple[str, str]]]]:
    """The rows, without what nobody can foresee."""
    return {
        table: sorted([(name, value) for name, value in row if name not in chain.by_chance] for row in rows)
        for table, rows in state.rows.items()
    }
