"""The image that ci/build-image wrote, unpacked and run as a pod runs it."""

from __future__ import annotations

import json
import shutil
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest
from image_foundation import MACHINES
from image_layout import read_layer
from image_root import ARCHITECTURE, IMPORT_ALL, blob, images, run, unpack
from thin_clients import executable

from spiderpool.cni.install import PLUGINS

pytestmark = pytest.mark.kernel


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The root file system of this machine's architecture."""
    folder = tmp_path_factory.mktemp("image")
    unpack(ARCHITECTURE, folder)
    yield folder
    shutil.rmtree(folder)


def test_both_architectures_are_whole() -> None:
    found = images()
    assert set(found) == set(MACHINES)
    for architecture, manifest in found.items():
        config = json.loads(blob(manifest["config"]))
        assert config["architecture"] == architecture
        layers = [read_layer("", blob(each)) for each in manifest["layers"]]
        assert config["rootfs"]["diff_ids"] == [each.diff_id for each in layers]


def test_all_of_it_can_be_imported_by_nobody_special(root: Path) -> None:
    done = run(root, "python3", "-c", IMPORT_ALL)
    assert done.returncode == 0, done.stderr
    user, count, _ = done.stdout.split()
    assert user == "65532"
    assert int(count) > 100


def test_nothing_can_be_written(root: Path) -> None:
    done = run(root, "python3", "-c", "open('/tmp/x', 'w')")
    assert "Read-only file system" in done.stderr


@pytest.mark.parametrize("name", ["agent", "controller", "controller.install", "ctl"])
def test_components_start(root: Path, name: str) -> None:
    done = run(root, "python3", "-m", f"spiderpool.{name}", "--help")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("usage: ")


def test_the_command_is_on_the_path(root: Path) -> None:
    done = run(root, "spiderpoolctl", "--help")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("usage: ")


def test_plugins_for_the_node_lie_where_the_chart_looks(root: Path) -> None:
    folder = root / "opt" / "spiderpool" / "cni"
    assert sorted(path.name for path in folder.iterdir()) == sorted(PLUGINS)
    for path in folder.iterdir():
        assert path.read_bytes() == executable(ARCHITECTURE).read_bytes()
        assert path.stat().st_mode & 0o777 == 0o755


def test_there_is_no_shell_and_nothing_that_gives_power(root: Path) -> None:
    files = [path for path in root.rglob("*") if path.is_file() and not path.is_symlink()]
    assert not any(path.stat().st_mode & (stat.S_ISUID | stat.S_ISGID) for path in files)
    programs = sorted(path.name for path in (root / "usr/bin").iterdir())
    assert programs == ["python3", "python3.11", "spiderpoolctl"]
    assert not {"bin", "sbin"} & {path.name for path in root.iterdir()}
    assert not list(root.glob("opt/spiderpool/lib/pip*"))


def test_the_sbom_lists_what_is_there(root: Path) -> None:
    sbom = json.loads((root / "opt/spiderpool/sbom.spdx.json").read_text())
    urls = [each["externalRefs"][0]["referenceLocator"] for each in sbom["packages"][1:]]
    debian = {url.split("/")[2].split("@")[0] for url in urls if url.startswith("pkg:deb/")}
    assert debian == {path.name for path in (root / "var/lib/dpkg/status.d").iterdir()}
    pypi = {url.split("/")[1].replace("@", "-") for url in urls if url.startswith("pkg:pypi/")}
    there = {path.name for path in (root / "opt/spiderpool/lib").glob("*.dist-info")}
    normal = {name.removesuffix(".dist-info").lower().replace("_", "-") for name in there}
    assert {name.replace("_", "-") for name in pypi if "spiderpool" not in name} == normal
