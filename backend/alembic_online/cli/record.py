"""`record`: run a command, and write down the statements that it makes: lint replays them on what a revision makes."""

import os
import subprocess
from argparse import REMAINDER, ArgumentParser, Namespace
from pathlib import Path
from tempfile import TemporaryDirectory

from rich.console import Console

import alembic_online
from alembic_online.cli.verb import FINE, Verb
from alembic_online.errors import RequestRefused
from alembic_online.releases import in_child
from alembic_online.releases.recorded import FILE, read_file, renewed, write_file
from alembic_online.releases.recorder import FOLDER, recorded_in
from alembic_online.revisions.project import config_here, scripts_of
from alembic_online.text import counted


def add_arguments(parser: ArgumentParser) -> None:
    """The verb's options."""
    parser.add_argument("-o", "--output", metavar="FILE", help=f"the file (default: {FILE} beside env.py)")
    parser.add_argument("--add", action="store_true", help="keep what is in the file and was not made this time")
    parser.add_argument("command", nargs=REMAINDER, metavar="-- COMMAND", help="for example: -- pytest")


def on_files(options: Namespace, console: Console) -> int:
    """The command's own exit code; only where that is 0 is the file written."""
    command = options.command[1:] if options.command[:1] == ["--"] else options.command
    if not command:
        raise RequestRefused("No command is named.", "alembic-online record -- pytest")
    path = Path(options.output or Path(scripts_of(config_here(options.x)).dir) / FILE)
    before = read_file(path)
    with TemporaryDirectory(prefix="online-") as folder:
        code = _run(command, folder)
        found = recorded_in(folder)
    if code != FINE:
        console.print(f"The command ended with {code}: {path.name} is left as it was.", highlight=False)
        return code
    if not found:
        raise RequestRefused(
            "The command has made no statement that could be seen.",
            "Only those are that go through SQLAlchemy to PostgreSQL, in a Python that has the toolkit.",
        )
    write_file(path, renewed(before, [*before, *found] if options.add else found))
    console.print(f"{counted(len(read_file(path)), 'statement')} in {path.name}.", highlight=False)
    return FINE


def _run(command: list[str], folder: str) -> int:
    hook = str(Path(str(in_child.__file__)).parent)
    source = Path(str(alembic_online.__file__)).parents[1]
    ways = [hook, *filter(None, [os.environ.get("PYTHONPATH", "")])]
    if source.name not in ("site-packages", "dist-packages"):  # not installed: the command starts elsewhere
        ways.append(str(source))
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(ways), FOLDER: folder}
    try:
        return subprocess.run(command, env=environment, check=False).returncode
    except OSError as error:
        raise RequestRefused(f"{command[0]} cannot be run: {error.strerror}.", "Name a command.") from error


VERB = Verb(
    "record", "run a command and write down the statements that it makes, for lint", add_arguments, on_files=on_files
)
