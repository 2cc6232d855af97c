"""The documents become a site: no link is broken, and a browser loads nothing from elsewhere."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.paths import BACKEND

_LOADED = re.compile(r"<(?:script|img|iframe)\b[^>]*\bsrc=[\"']?(?:https?:)?//|<link\b[^>]*\bhref=[\"']?(?:https?:)?//")


@pytest.mark.programs
def test_one_broken_link_is_all_that_is_wrong_with_the_site_and_it_is_refused(tmp_path: Path) -> None:
    pytest.importorskip("mkdocs", reason="make install brings it")
    shutil.copy(BACKEND.parent / "mkdocs.yml", tmp_path)
    shutil.copytree(BACKEND.parent / "docs", tmp_path / "docs")
    with (tmp_path / "docs" / "index.md").open("a", encoding="utf-8") as page:
        page.write("\n[There is no such page](nowhere.md)\n")
    command = [sys.executable, "-m", "mkdocs", "build"]
    built = subprocess.run(
        command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
    )
    assert (built.returncode, built.stdout.count("WARNING -")) == (1, 1), built.stdout
    assert "'nowhere.md'" in built.stdout
    pages = list((tmp_path / "site").rglob("*.html"))
    assert len(pages) > 20
    assert [page.name for page in pages if _LOADED.search(page.read_text(encoding="utf-8"))] == []
