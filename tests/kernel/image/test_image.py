"""The image that ci/build-image wrote, unpacked and run as a pod runs it."""

from __future__ import annotations

import json
import platform
import shutil
import stat
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from image_foundation import MACHINES
from image_layout import digest, read_layer, unpack_layer
from thin_clients import executable

from spiderpool.cni.install import PLUGINS

pytestmark = pytest.mark.kernel

IMAGE = Path(__file__).parents[3] / "dist" / "image"
IMPORT_ALL = """
import importlib, os, pkgutil, spiderpool
names = [each.name for each in pkgutil.walk_packages(spiderpool.__path__, "spiderpool.")]
names += [each.split(".")[0] for each in os.listdir("/usr/lib/python3.11/lib-dynload")]
names += ["aiohttp", "orjson", "yaml", "netaddr", "pyroute2", "cryptography.x509"]
names += ["kubernetes.aio.client", "kubernetes.aio.config"]
for name in names:
    if not name.endswith("__main__"):
        importlib.import_module(name)
print(os.getuid(), len(names))
"""


def blob(descriptor: dict[str, Any]) -> bytes:
    content = (IMAGE / "blobs" / str(descriptor["digest"]).replace(":", "/")).read_bytes()
    assert (digest(content), len(content)) == (descriptor["digest"], descriptor["size"])
    return content


def images() -> dict[str, dict[str, Any]]:
    """Manifests by architecture."""
    if not IMAGE.exists():
        pytest.skip("needs dist/image; ci/build-image builds it")
    (top,) = json.loads((IMAGE / "index.json").read_text())["manifests"]
    found = json.loads(blob(top))["manifests"]
    return {each["platform"]["architecture"]: json.loads(blob(each)) for each in found}


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The root file system of this machine's architecture."""
    folder = tmp_path_factory.mktemp("image")
    folder.chmod(0o755)
    (mine,) = (name for name, machine in MACHINES.items() if machine == platform.machine())
    for each in images()[mine]["layers"]:
        unpack_layer(read_layer("", blob(each)), folder)
    yield folder
    shutil.rmtree(folder)


def run(root: Path, *command: str) -> subprocess.CompletedProcess[str]:
    """As the image's user, with the image's environment, in a root that is read-only."""
    (manifest, *_) = images().values()
    config = json.loads(blob(manifest["config"]))["config"]
    user, _, group = config["User"].partition(":")
    script = 'mount --bind -o ro "$1" "$1" && mount -o remount,bind,ro "$1" && shift && exec "$@"'
    enter = ["unshare", "--pid", "--fork", f"--root={root}", "--mount", "--mount-proc=/proc"]
    enter += [f"--setuid={user}", f"--setgid={group}", "--wd=/", "/usr/bin/" + command[0]]
    return subprocess.run(
        ["unshare", "--mount", "sh", "-c", script, "sh", str(root), *enter, *command[1:]],
        env=dict(each.split("=", 1) for each in config["Env"]) | {"PATH": "/usr/sbin:/usr/bin"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


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
    user, count = done.stdout.split()
    assert user == "65532"
    assert int(count) > 100


def test_nothing_can_be_written(root: Path) -> None:
    done = run(root, "python3", "-c", "open('/tmp/x', 'w')")
    assert "Read-only file system" in done.stderr


@pytest.mark.parametrize("name", ["agent", "controller", "controller.install"])
def test_components_start(root: Path, name: str) -> None:
    done = run(root, "python3", "-m", f"spiderpool.{name}", "--help")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("usage: ")


def test_plugins_for_the_node_lie_where_the_chart_looks(root: Path) -> None:
    (mine,) = (name for name, machine in MACHINES.items() if machine == platform.machine())
    folder = root / "opt" / "spiderpool" / "cni"
    assert sorted(path.name for path in folder.iterdir()) == sorted(PLUGINS)
    for path in folder.iterdir():
        assert path.read_bytes() == executable(mine).read_bytes()
        assert path.stat().st_mode & 0o777 == 0o755


def test_there_is_no_shell_and_nothing_that_gives_power(root: Path) -> None:
    files = [path for path in root.rglob("*") if path.is_file() and not path.is_symlink()]
    assert not any(path.stat().st_mode & (stat.S_ISUID | stat.S_ISGID) for path in files)
    assert sorted(path.name for path in (root / "usr/bin").iterdir()) == ["python3", "python3.11"]
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
