"""What is shipped: the wheel holds the built bundles, and they are those of the sources at hand."""

import hashlib
import json
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
STATIC = ROOT / "fal_nb" / "static"


@pytest.mark.slow
def test_the_wheel_carries_the_bundles_and_the_type_marker(tmp_path):
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    (wheel,) = tmp_path.glob("*.whl")
    names = set(zipfile.ZipFile(wheel).namelist())
    assert {
        "fal_nb/static/hub.js",
        "fal_nb/static/board.js",
        "fal_nb/static/card.js",
        "fal_nb/static/page.js",
        "fal_nb/static/third-party.txt",
        "fal_nb/py.typed",
    } <= names
    assert not [name for name in names if name.startswith(("tests/", "js/", "notebooks/"))]


def test_no_registry_host_or_local_path_is_in_the_lock_file():
    text = (ROOT / "js" / "package-lock.json").read_text("utf-8")
    assert '"resolved"' not in text


def test_the_loader_is_small_and_no_bundle_is_large():
    assert (STATIC / "hub.js").stat().st_size < 10_000
    for bundle in ("board.js", "card.js", "page.js"):
        assert (STATIC / bundle).stat().st_size < 400_000


def test_bundles_name_no_address_but_xml_namespaces():
    for path in STATIC.glob("*.js"):
        hosts = set(re.findall(r"(?:https?|wss?)://([\w.-]+)", path.read_text("utf-8")))
        assert hosts <= {"www.w3.org"}, path.name


def test_the_bundles_are_those_of_the_sources_at_hand():
    files = [path for path in (ROOT / "js" / "src").rglob("*") if path.is_file()]
    files += [ROOT / "js" / "build.mjs", ROOT / "js" / "package-lock.json"]
    total = hashlib.sha256()
    for name, path in sorted((path.relative_to(ROOT / "js").as_posix(), path) for path in files):
        total.update(f"{name}\0{hashlib.sha256(path.read_bytes()).hexdigest()}\n".encode())
    built = json.loads((STATIC / "build.json").read_text("utf-8"))
    entries = {path.stem for path in (ROOT / "js" / "src").glob("*.ts*") if not path.name.endswith(".d.ts")}
    assert set(built) == {f"{entry}.js" for entry in entries}
    assert set(built.values()) == {total.hexdigest()}, "stale bundles: run make build"
