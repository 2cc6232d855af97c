"""Every usual spelling of a database URL is understood; what cannot be honoured is refused, and never repeated."""

from pathlib import Path

import pytest

from alembic_online.postgres.connection.url import parse_url
from alembic_online.postgres.errors import InvalidURL


@pytest.mark.parametrize(
    ("text", "dsn", "driver"),
    [
        ("postgres://u:p@h/d", "postgresql://u:p@h/d", "asyncpg"),
        ("postgresql://u:p@h:5433/d", "postgresql://u:p@h:5433/d", "asyncpg"),
        ("postgresql+asyncpg://u:p@h/d", "postgresql://u:p@h/d", "asyncpg"),
        ("postgresql+psycopg://u:p@h/d", "postgresql://u:p@h/d", "psycopg"),
        ("postgresql+psycopg2://u:p@h/d", "postgresql://u:p@h/d", "psycopg"),
        ("postgres+psycopg2://u:p@h/d", "postgresql://u:p@h/d", "psycopg"),
        (" postgres://u:p@h/d\n", "postgresql://u:p@h/d", "asyncpg"),
        ("postgres://u:p%40%25%2F@h/d?sslmode=require", "postgresql://u:p%40%25%2F@h/d?sslmode=require", "asyncpg"),
        ("postgres://u:50%@h/d", "postgresql://u:50%25@h/d", "asyncpg"),
        ("postgresql+asyncpg://u@h/d?ssl=require", "postgresql://u@h/d?sslmode=require", "asyncpg"),
        ("postgresql://u@h/d?ssl=true", "postgresql://u@h/d?sslmode=require", "asyncpg"),
        ("postgresql:///d?host=/var/run/x", "postgresql:///d?host=%2Fvar%2Frun%2Fx", "asyncpg"),
        ("postgresql://%2Fvar%2Frun/d", "postgresql://%2Fvar%2Frun/d", "asyncpg"),
        ("postgresql://u@[::1]:5433/d", "postgresql://u@[::1]:5433/d", "asyncpg"),
        ("postgresql://u@a:1,b:2/d", "postgresql://u@a:1,b:2/d", "asyncpg"),
        ("postgres://u:p@h/d?pgbouncer=true&connection_limit=1", "postgresql://u:p@h/d", "asyncpg"),
        ("postgresql://u:p@h/d?channel_binding=prefer", "postgresql://u:p@h/d", "asyncpg"),
        (
            "postgresql://u:p@h/d?sslmode=require&channel_binding=require",
            "postgresql://u:p@h/d?sslmode=require&channel_binding=require",
            "psycopg",
        ),
    ],
)
def test_the_drivers_get_libpqs_spelling(text: str, dsn: str, driver: str) -> None:
    parsed = parse_url(text)
    assert (parsed.dsn, parsed.driver) == (dsn, driver)


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("postgres://u:secret@h/d", "database 'd' at h:5432 as role 'u'"),
        ("postgres://u:secret@h:6543/d%20d", "database 'd d' at h:6543 as role 'u'"),
        ("postgresql:///d?host=/Var/run&user=u&password=secret", "database 'd' at /Var/run as role 'u'"),
        ("postgresql://u:secret@%2FVar%2Frun/d", "database 'd' at /Var/run as role 'u'"),
        ("postgresql://u:secret@h", "database 'u' at h:5432 as role 'u'"),
    ],
)
def test_a_message_shows_the_place_and_never_the_password(text: str, place: str) -> None:
    assert parse_url(text).place == place
    assert "secret" not in repr(parse_url(text))


@pytest.mark.parametrize(
    ("query", "pooled"),
    [
        ("", False),
        ("?pgbouncer=true", True),
        ("?sslmode=require&pgbouncer=1", True),
        ("?pgbouncer=false", False),
        ("?statement_cache_size=0", True),
        ("?prepared_statement_cache_size=0", True),
        ("?statement_cache_size=100", False),
    ],
)
def test_a_transaction_pooler_is_known_by_the_hint_in_the_url(query: str, pooled: bool) -> None:
    assert parse_url(f"postgresql://h/d{query}").pooled is pooled


@pytest.mark.parametrize(("text", "seconds"), [("", 10), ("?connect_timeout=3", 3), ("?connect_timeout=0", 3600)])
def test_connect_timeout_is_in_seconds_and_zero_means_no_limit(text: str, seconds: float) -> None:
    parsed = parse_url(f"postgresql://h/d{text}")
    assert parsed.connect_timeout == seconds
    assert parsed.dsn == "postgresql://h/d", "asyncpg would send it to the server, which does not know it"


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "VARIABLE is empty"),
        ("   ", "VARIABLE is empty"),
        ("localhost/d", "no scheme"),
        ('"postgres://u:secret@h/d"', "quotation mark"),
        ("postgres://u:sec@ret@h/d", "%40"),
        ("postgres://u:sec/ret@h/d", "%2F"),
        ("postgres://u:sec#ret@h/d", "%23"),
        ("postgres://u:sec?ret@h/d", "%3F"),
        ("postgres://u:sec[ret@h/d", "%5B"),
        ("postgres://u:secret@h:port/d", "port is not a number"),
        ("postgres://u:secret@h:70000/d", "port is not a number"),
        ("postgres://u:secret@h/d?port=x", "port is not a number"),
        ("postgres://u:secret@h/d?connect_timeout=soon", "connect_timeout"),
        ("postgres://u:secret@h/d?sslmode=maybe", "verify-full"),
        ("postgres://u:secret@h/d?aplication_name=x", "Did you mean application_name"),
        ("postgresq://u:secret@h/d", "misspelling of postgresql"),
        ("sqlite:///file.db", "not PostgreSQL"),
        ("postgresql+pg8000://u:secret@h/d", "not installed"),
        ("postgresql+foo://u:secret@h/d", "not known"),
        ("postgresql+asyncpg://u:secret@h/d?channel_binding=require", "channel binding"),
        ("postgresql://u:secret@h/d?channel_binding=maybe", "disable, prefer, require"),
        ("postgres://u:secret@h/d?target_session_attrs=write", "read-write, read-only"),
        ("postgresql://u:secret@host..name/d", "part between two dots that is empty"),
        (f"postgresql://u:secret@a,{'b' * 64}.name/d", "or too long"),
        ("postgresql://u:secret@h/d%00", "zero byte"),
        ("postgresql://u:secret%ff@h/d", "not UTF-8"),
    ],
)
def test_what_cannot_be_honoured_is_refused_with_the_variable_and_without_the_value(text: str, sentence: str) -> None:
    with pytest.raises(InvalidURL) as refusal:
        parse_url(text, source="VARIABLE")
    message = str(refusal.value)
    assert message.startswith("VARIABLE")
    assert sentence in message
    assert "sec" not in message.replace("seconds", "")


@pytest.mark.parametrize(("content", "why"), [(None, "there is no "), ("[other]\nhost=h\n", " does not have")])
def test_a_service_that_no_file_defines_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: str | None, why: str
) -> None:
    file = tmp_path / "pg_service.conf"
    monkeypatch.setenv("PGSERVICEFILE", str(file))
    if content is not None:
        file.write_text(content)
    with pytest.raises(InvalidURL, match=f"names the service 'mine'.*{why}"):
        parse_url("postgresql:///?service=mine")
    file.write_text("[mine]\nhost=h\n")
    assert parse_url("postgresql:///?service=mine").driver == "asyncpg"
