"""What an Alembic Config was made of: enough to make another one like it, for another command or in another process."""

from collections.abc import Mapping
from configparser import ConfigParser
from copy import deepcopy
from dataclasses import dataclass
from typing import TextIO

from alembic.config import Config

from alembic_online.runtime.current_command import x_arguments


@dataclass(frozen=True)
class ConfigOrigin:
    """Its files, and what they say together with what a program has set. Can be pickled."""

    ini: str | None
    toml: str | None
    section: str
    arguments: Mapping[str, str]
    options: ConfigParser
    x: tuple[str, ...] = ()
    """What env.py was given by `-x`."""

    @classmethod
    def of(cls, config: Config) -> "ConfigOrigin":
        """Those of `config`."""
        options = deepcopy(config.file_config)
        x = tuple(getattr(config.cmd_opts, "x", None) or ())
        section, arguments = config.config_ini_section, config.toml_args
        return cls(config.config_file_name, config.toml_file_name, section, arguments, options, x)

    def config(self, output: TextIO) -> Config:
        """Another one, without the attributes; what it prints goes to `output`."""
        made = Config(
            self.ini, self.toml, self.section, output, output, x_arguments(self.x), config_args=self.arguments
        )
        made.file_config = deepcopy(self.options)
        return made
