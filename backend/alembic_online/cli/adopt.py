"""`adopt`: put the toolkit into a project of plain Alembic, and its database under revisions."""

import json
import sys
from argparse import ArgumentParser, Namespace

from rich.console import Console
from rich.prompt import Prompt

from alembic_online.cli.verb import FINE, FOUND, Verb
from alembic_online.errors import RequestRefused
from alembic_online.postgres.catalogue import describe
from alembic_online.revisions.project import config_here


def add_arguments(parser: ArgumentParser) -> None:
    """The verb's options."""
    parser.add_argument("--yes", action="store_true", help="do it; without this, only what would be done is said")
    parser.add_argument("--revision", metavar="REVISION", help="which one it is, where several make the same schema")
    help_text = "tables of others, by name or as legacy_*: they are never compared or dropped (may be repeated)"
    parser.add_argument("--leave-alone", action="append", default=[], metavar="PATTERN", help=help_text)
    parser.add_argument("--json", action="store_true", help="print JSON")


def on_files(options: Namespace, console: Console) -> int:
    """Say what was found, and do it with `--yes`; `FOUND` where something is left to be done."""
    # All of the comparison: other verbs do without.
    from alembic_online.adopt.carry_out import Adoption, Wish, carry_out, look_at  # noqa: PLC0415

    def looked(patterns: list[str]) -> Adoption:
        return look_at(config_here(options.x), Wish(options.revision, tuple(patterns)))

    adoption = looked(options.leave_alone)
    if adoption.verdict.foreign and (patterns := _asked(adoption.verdict.foreign, options, console)):
        adoption = looked([*options.leave_alone, *patterns])
    verdict = adoption.verdict
    done = carry_out(adoption) if options.yes else []
    if options.json:
        data = {
            "state": verdict.state,
            "sentence": verdict.sentence,
            "env.py": adoption.diff,
            "stamp": verdict.stamp,
            "differences": describe(verdict.differences).splitlines(),
            "repair": verdict.repair,
            "foreign_tables": verdict.foreign,
            "done": done,
            "next": verdict.next_step,
        }
        console.print_json(json.dumps(data))
    else:
        for line in adoption.report(done):
            console.print(line, markup=False, highlight=False, soft_wrap=True)
    left = adoption.has_work and not options.yes
    return FOUND if left or verdict.differences or verdict.choices else FINE


def _asked(strangers: tuple[str, ...], options: Namespace, console: Console) -> list[str]:
    """The patterns of what is to be left alone; each is asked about once, for env.py keeps the answer."""
    if not options.yes:
        return []
    names = ", ".join(strangers)
    if options.json or not sys.stdin.isatty():
        raise RequestRefused(
            f"Tables that are in no model and in no revision, and nobody can be asked whose they are: {names}.",
            f"If they are others': --leave-alone {' --leave-alone '.join(strangers)}\n"
            "If they are this project's, put them into the models.",
        )
    said = Prompt.ask(f"In no model and in no revision: {names}. Leave alone (patterns)", default=" ".join(strangers))
    return said.split()


VERB = Verb(
    "adopt", "put the toolkit into this project, and its database under revisions", add_arguments, on_files=on_files
)
