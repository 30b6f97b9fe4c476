"""The manual goes with the package: what is installed elsewhere has its pages."""

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from kcjl.manual.book import pages
from tests.architecture.tree import ROOT


def test_built_wheel_has_every_page(tmp_path: Path) -> None:
    """A page that is in the tree only helps nobody at a shop."""
    pytest.importorskip("hatchling", reason="the builder is among the dev dependencies")
    build = ("build", "-t", "wheel", "-d", str(tmp_path))
    subprocess.run([sys.executable, "-m", "hatchling", *build], cwd=ROOT, check=True)
    (wheel,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as packed:
        there = {each for each in packed.namelist() if each.startswith("kcjl/manual/")}

    pages_there = {f"kcjl/manual/{page.chapter}/{page.name}.md" for page in pages()}
    assert {each.replace("//", "/") for each in pages_there} <= there
