"""`lint`: what is wrong with revisions, before they are merged."""

import asyncio
import json
import sys
from argparse import ArgumentParser, Namespace
from pathlib import Path

from rich.console import Console
from rich.text import Text
from sqlalchemy.ext.asyncio import AsyncConnection

from alembic_online.cli.verb import FINE, FOUND, Verb
from alembic_online.errors import RequestRefused
from alembic_online.postgres.scratch import read_place
from alembic_online.review.lint import squawk
from alembic_online.review.lint.check import check, choose, missing
from alembic_online.review.lint.rule import Finding
from alembic_online.review.lint.rules_document import page
from alembic_online.review.status import SchemaState, SchemaStatus, schema_status
from alembic_online.revisions.checksums import edited_files
from alembic_online.revisions.main_branch import main_branch
from alembic_online.revisions.project import Project, config_here, open_project
from alembic_online.runtime.history import find_history
from alembic_online.text import counted


def add_arguments(parser: ArgumentParser) -> None:
    """The verb's options."""
    help_text = "a revision, FROM:TO (what comes after FROM), or all; by default those that the main branch has not"
    parser.add_argument("range", nargs="?", default="", metavar="RANGE", help=help_text)
    parser.add_argument("--main", metavar="BRANCH", help="git's main branch (default: origin's, main, master, trunk)")
    parser.add_argument(
        "--sql", metavar="FILE", help="look at a file of SQL instead, such as upgrade --sql writes; - is stdin"
    )
    parser.add_argument("--rules", action="store_true", help="print the page of all rules")
    parser.add_argument("--json", action="store_true", help="print JSON")


def on_files(options: Namespace, console: Console) -> int | None:
    """The page of all rules, or what squawk says of SQL."""
    if options.rules:
        console.print(Text(page()), soft_wrap=True, end="")
        return FINE
    return _lint_sql(options, console) if options.sql else None


async def run(connection: AsyncConnection, options: Namespace, console: Console) -> int:
    """Print the findings; `FOUND` if there are any."""
    project = await asyncio.to_thread(open_project, config_here(options.x))
    status = await schema_status(connection, project.scripts, *project.stamped)
    place = await connection.run_sync(read_place)
    main = await asyncio.to_thread(main_branch, project.folder, options.main)
    chosen = await asyncio.to_thread(choose, project, options.range, status.current, main)
    edited = await _edited(connection, project, status)
    findings = await asyncio.to_thread(check, project, place, chosen, main, edited)
    if main and options.range in ("", "all"):
        findings += await asyncio.to_thread(missing, project, main)
    if options.json:
        console.print_json(json.dumps([_as_data(each) for each in findings]))
    else:
        _show(findings, len(chosen), console)
    return FOUND if findings else FINE


async def _edited(connection: AsyncConnection, project: Project, status: SchemaStatus) -> list[str]:
    history = await find_history(connection)
    if status.state is SchemaState.AHEAD or not status.current or history is None:
        return []
    return await connection.run_sync(edited_files, history, project.scripts, status.current)


def _show(findings: list[Finding], looked_at: int, console: Console) -> None:
    for each in findings:
        console.print(Text(f"{each.file}:{each.line}: {each.rule.code}", style="bold"))
        for line in (each.what, each.rule.danger, f"Instead: {each.instead}"):
            console.print(Text(f"  {line}".replace("\n", "\n  ")), soft_wrap=True)
    console.print(f"{counted(looked_at, 'revision')}, {counted(len(findings), 'finding')}.", highlight=False)
    if not squawk.is_installed():
        left_out = "squawk is not installed, so its rules were left out: pip install 'alembic-online[lint]'"
        console.print(left_out, highlight=False, markup=False)


def _as_data(finding: Finding) -> dict[str, object]:
    rule = finding.rule
    return {
        "revision": finding.revision,
        "file": finding.file,
        "line": finding.line,
        "rule": rule.code,
        "finding": finding.what,
        "danger": rule.danger,
        "reason": rule.reason,
        "remedy": finding.instead,
    }


def _lint_sql(options: Namespace, console: Console) -> int:
    said = squawk.read([_read_sql(options.sql)])
    if options.json:
        console.print_json(
            json.dumps([{"rule": each.rule, "line": each.line, "finding": each.message} for each in said])
        )
    else:
        for each in said:
            console.print(Text(f"line {each.line}: {each.rule}: {each.message}"), soft_wrap=True)
    return FOUND if said else FINE


def _read_sql(name: str) -> str:
    try:
        return sys.stdin.read() if name == "-" else Path(name).read_text(encoding="utf-8")
    except OSError as error:
        raise RequestRefused(
            f"{name} cannot be read: {error.strerror}.", "Name a file of SQL, or - for stdin."
        ) from error
    except UnicodeDecodeError as error:
        raise RequestRefused(f"{name} is not UTF-8.", "Write it as UTF-8.") from error


VERB = Verb("lint", "what is wrong with revisions, before they are merged", add_arguments, run, on_files)
