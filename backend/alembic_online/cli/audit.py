"""`audit`: what the chain of somebody's project would do on large tables. Needs no database, and changes nothing."""

import asyncio
import json
from argparse import ArgumentParser, Namespace
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from alembic_online.cli.verb import FINE, FOUND, Verb
from alembic_online.errors import RequestRefused
from alembic_online.formats import table
from alembic_online.formats.markdown import markdown
from alembic_online.formats.sarif import sarif
from alembic_online.policy import Policy
from alembic_online.postgres.abandoned_threads import abandon_all

if TYPE_CHECKING:
    from alembic_online.audit.report import Audit
    from alembic_online.review.plan.large_tables import Sizes

SIZES = (
    "SELECT json_object_agg(c.oid::regclass, coalesce((SELECT sum(pg_table_size(relid)) FROM pg_partition_tree(c.oid)),"
    " pg_table_size(c.oid))) FROM pg_class c WHERE relkind IN ('r', 'p', 'm') AND oid >= 16384"
)
"""What a file of sizes is made by."""
_FORMATS = ("table", "json", "markdown", "sarif", "html")


def add_arguments(parser: ArgumentParser) -> None:
    """The verb's options."""
    help_text = "from where alembic is run (default: here, or the only project below)"
    parser.add_argument("folder", nargs="?", default=".", metavar="FOLDER", help=help_text)
    parser.add_argument("--format", choices=_FORMATS, default="table", help=f"{', '.join(_FORMATS)} (table)")
    parser.add_argument("--json", action="store_const", const="json", dest="format", help="the same as --format json")
    parser.add_argument("--output", metavar="FILE", help="write it there, and not to the terminal")
    sizes = "JSON with the bytes of each table by its name; tables that are not in it count as large"
    parser.add_argument("--sizes", metavar="FILE", help=sizes)
    parser.add_argument("--schema", action="store_true", help="print the JSON schema of --format json")


def on_files(options: Namespace, console: Console) -> int:
    """Print what was found; `FOUND` if anything was."""
    if options.schema:
        from alembic_online.audit.schema import SCHEMA  # noqa: PLC0415  imports all that an audit needs

        console.print_json(json.dumps(SCHEMA))
        return FINE
    return asyncio.run(_audit(options, console))


async def _audit(options: Namespace, console: Console) -> int:
    # Alembic, PostgreSQL's server and rich's bars: other verbs do without.
    from alembic_online.audit.examine import examine  # noqa: PLC0415
    from alembic_online.audit.folder import find_project  # noqa: PLC0415
    from alembic_online.audit.guest import as_guest  # noqa: PLC0415
    from alembic_online.audit.report import Audit  # noqa: PLC0415

    sizes = _sizes(options.sizes)
    folder, policy = find_project(Path(options.folder)), Policy.from_environment()
    with _progress() as told, as_guest(folder):
        try:
            audit = Audit(await asyncio.to_thread(examine, folder, policy, told, options.x, sizes))
            report = audit.report
        except asyncio.CancelledError:
            await abandon_all()
            raise
    text = _written(audit, options.format)
    if text is not None:
        _write(text, options, console)
    else:
        with _console(options, console) as shown:
            table.show(report, shown)
    return FOUND if report.findings else FINE


def _sizes(name: str | None) -> "Sizes":
    """Of a file. Raises `RequestRefused` for one that says something else."""
    from alembic_online.review.plan.large_tables import Sizes  # noqa: PLC0415  as above

    if name is None:
        return Sizes()
    what = f'Ask the database for them: psql -AtXc "{SIZES}" > sizes.json'
    try:
        known = json.loads(Path(name).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise RequestRefused(f"{name} cannot be read: {error}.", what) from error
    if not isinstance(known, dict) or not all(type(size) is int and size >= 0 for size in known.values()):
        raise RequestRefused(f"{name} does not say how many bytes each table has.", what)
    return Sizes(known)


def _written(audit: "Audit", form: str) -> str | None:
    """All of it in the format; None for a table, which knows how wide it may be."""
    from alembic_online.audit.page import audit_page  # noqa: PLC0415  as above

    match form:
        case "json":
            return json.dumps(audit.as_data(), indent=2)
        case "sarif":
            return json.dumps(sarif(audit.report, audit.prefix), indent=2)
        case "markdown":
            return markdown(audit.report)
        case "html":
            return audit_page(audit)
    return None


def _write(text: str, options: Namespace, console: Console) -> None:
    if options.output:
        with _opened(options.output) as file:
            file.write_text(f"{text.rstrip()}\n", encoding="utf-8")
    else:
        console.print(text.rstrip(), markup=False, highlight=False, soft_wrap=True)


@contextmanager
def _console(options: Namespace, console: Console) -> Iterator[Console]:
    if not options.output:
        yield console
        return
    with _opened(options.output) as path, path.open("w", encoding="utf-8") as file:
        yield Console(file=file, width=120)


@contextmanager
def _opened(name: str) -> Iterator[Path]:
    try:
        yield Path(name)
    except OSError as error:
        raise RequestRefused(f"{name} cannot be written: {error.strerror}.", "Name another file.") from error


@contextmanager
def _progress() -> Iterator[Callable[[str, int, int], None]]:
    """A bar on stderr, where that is a terminal."""
    columns = (BarColumn(), MofNCompleteColumn(), TextColumn("{task.description}"))
    shown = Console(stderr=True)
    with Progress(
        *columns,
        console=shown,
        transient=True,
        redirect_stdout=False,
        redirect_stderr=False,
        disable=not shown.is_terminal,
    ) as bar:
        task = bar.add_task("PostgreSQL is started", total=None)

        def told(words: str, done: int, total: int) -> None:
            bar.update(task, description=words, completed=done, total=total)

        yield told


VERB = Verb(
    "audit", "what the whole chain would do on large tables; needs no database", add_arguments, on_files=on_files
)
