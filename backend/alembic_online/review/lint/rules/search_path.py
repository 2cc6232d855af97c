"""search-path: the revision depends on, or changes, where names are looked for."""

from collections.abc import Iterator

from alembic_online.postgres.locks.reader import Reader
from alembic_online.review.lint.rule import Found, Revision, Rule


def _check(revision: Revision) -> Iterator[Found]:
    for sql in revision.source.sql:
        for reader in sql.statements():
            if _depends(reader):
                yield Found(f"{' '.join(sql.text.split())[:80]}", sql.line)


def _depends(reader: Reader) -> bool:
    words = [(token.keyword or token.text).upper() for token in reader.rest()]
    if {"CURRENT_SCHEMA", "CURRENT_SCHEMAS"} & set(words) or "'SEARCH_PATH'" in words:
        return True
    # A function that sets its own path is the better for it.
    return bool(words) and words[0] in ("SET", "RESET", "SHOW") and "SEARCH_PATH" in words[:3]


RULE = Rule(
    "search-path",
    "The same revision makes other things in another database, or for another role.",
    "search_path is a setting of session, role and database, and what is set here stays for what runs next.",
    'the schema where it is meant: schema="..." in an operation, schema.table in SQL',
    _check,
)
