"""What is seen of a command: as the ini says, or at least what happens."""

import logging.config
from configparser import ConfigParser
from pathlib import Path

from alembic_online.runtime.current_command import Command


def configure_logging(command: Command) -> None:
    """As the ini says, the one in use or else env.py's neighbour; where neither says anything, what happens is shown.

    Only for the command line: a program that calls Alembic has loggers of its own.
    """
    if not command.from_command_line:
        return
    config = command.environment.config
    neighbour = Path(command.scripts.dir).resolve() / "alembic.ini"
    for file in (config.config_file_name, neighbour):
        ini = ConfigParser(interpolation=None)
        ini.read(file or (), encoding="utf-8")
        if ini.has_section("loggers"):
            logging.config.fileConfig(ini, disable_existing_loggers=False)
            return
    show_what_happens(command)


def show_what_happens(command: Command) -> None:
    """On stderr, where nobody has said otherwise: neither an ini nor env.py."""
    alembic = logging.getLogger("alembic")
    configured = [each for each in (*logging.root.handlers, *alembic.handlers) if type(each) is not logging.NullHandler]
    if not command.from_command_line or configured or getattr(command.environment.config.cmd_opts, "quiet", False):
        return
    shown = logging.StreamHandler()
    shown.setFormatter(logging.Formatter("%(levelname)-5.5s [%(name)s] %(message)s"))
    alembic.addHandler(shown)
    alembic.setLevel(logging.INFO)
