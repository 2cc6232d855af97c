"""Two alembic.ini and pyproject.toml lead to one environment, and say the same."""

import tomllib
from pathlib import Path

import pytest
from alembic.config import Config
from alembic.script import ScriptDirectory

ROOT = Path(__file__).resolve().parents[3]
MIGRATIONS = ROOT / "backend" / "migrations"

DOORS = {
    "backend": Config(ROOT / "backend" / "alembic.ini"),
    "migrations": Config(MIGRATIONS / "alembic.ini"),
    "root": Config(toml_file=ROOT / "pyproject.toml"),
}


@pytest.mark.parametrize("door", DOORS)
def test_every_door_leads_to_the_same_revisions_and_code(door: str) -> None:
    config = DOORS[door]
    assert Path(ScriptDirectory.from_config(config).dir).resolve() == MIGRATIONS
    assert [Path(path).resolve() for path in config.get_prepend_sys_paths_list() or []] == [ROOT / "backend"]
    assert config.get_alembic_option("revision_environment") in ("true", True)


def test_no_door_has_a_key_that_the_others_lack() -> None:
    keys = {door: set(config.file_config["alembic"]) - {"here"} for door, config in DOORS.items() if door != "root"}
    assert keys["backend"] == keys["migrations"]
    toml = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["alembic"]
    assert set(toml) == keys["backend"] - {"path_separator"}  # TOML has lists
