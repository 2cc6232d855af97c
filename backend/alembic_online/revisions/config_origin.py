"""What an Alembic Config was made of: enough to make another one like it, for another command or in another process."""

from collections.abc import Mapping
from configparser import ConfigParser
from copy import deepcopy
from dataclasses import dataclass
from typing import TextIO

from alembic.config import Config


@dataclass(frozen=True)
class ConfigOrigin:
    """Its files, and what they say together with what a program has set. Can be pickled."""

    ini: str | None
    toml: str | None
    section: str
    arguments: Mapping[str, str]
    options: ConfigParser

    @classmethod
    def of(cls, config: Config) -> "ConfigOrigin":
        """Those of `config`."""
        options = deepcopy(config.file_config)
        return cls(config.config_file_name, config.toml_file_name, config.config_ini_section, config.toml_args, options)

    def config(self, output: TextIO) -> Config:
        """Another one, without the attributes; what it prints goes to `output`."""
        made = Config(self.ini, self.toml, self.section, output, output, config_args=self.arguments)
        made.file_config = deepcopy(self.options)
        return made
