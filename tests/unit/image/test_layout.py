"""The parts of the image's build that need neither network nor root."""

from __future__ import annotations

import io
import json
import marshal
import os
import re
import sys
import tarfile
import tomllib
from pathlib import Path
from typing import Any

import build_image
import image_debian
import pytest
from image_foundation import MACHINES, PINS, REQUIREMENTS, compile_all
from image_layout import Layout, digest, layer, read_layer, unpack_layer
from image_root import READ_BY_THE_BUILD
from image_sbom import Part, document

ROOT = Path(__file__).parents[3]
DOCKERFILE = ROOT / "deploy" / "image" / "Dockerfile"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "files"
    (made / "bin").mkdir(parents=True)
    (made / "bin" / "tool").write_text("#!")
    (made / "bin" / "tool").chmod(0o755)
    (made / "link").symlink_to("bin/tool")
    return made


def test_a_layer_depends_on_names_and_contents_alone(folder: Path) -> None:
    first = layer("x", folder)
    os.utime(folder / "bin" / "tool", (1, 1))
    (folder / "bin" / "tool").chmod(0o4700)
    assert layer("x", folder) == first
    (folder / "bin" / "tool").chmod(0o644)
    assert layer("x", folder) != first


def test_a_layer_holds_what_was_in_the_folder(folder: Path, tmp_path: Path) -> None:
    made = layer("x", folder)
    assert read_layer("x", made.blob) == made
    with tarfile.open(fileobj=io.BytesIO(made.blob)) as archive:
        assert archive.getnames() == ["bin", "bin/tool", "link"]
        assert [oct(each.mode) for each in archive] == ["0o755", "0o755", "0o755"]
        assert {(each.uid, each.gid, each.mtime) for each in archive} == {(0, 0, 0)}
    unpack_layer(made, tmp_path / "copy")
    assert (tmp_path / "copy" / "link").read_text() == "#!"
    assert (tmp_path / "copy" / "bin" / "tool").stat().st_mode & 0o777 == 0o755


def test_a_layout_is_found_by_digests_from_its_index(folder: Path, tmp_path: Path) -> None:
    when = "2026-01-02T03:04:05Z"
    layout, made = Layout(tmp_path / "image", when), layer("x", folder)
    images = [layout.add_image(name, [made], {"User": "1"}) for name in ("amd64", "arm64")]
    layout.finish("registry/name:1.2", images)

    def read(descriptor: dict[str, Any]) -> bytes:
        blob = tmp_path / "image" / "blobs" / str(descriptor["digest"]).replace(":", "/")
        content = blob.read_bytes()
        assert (digest(content), len(content)) == (descriptor["digest"], descriptor["size"])
        return content

    (top,) = json.loads((tmp_path / "image" / "index.json").read_text())["manifests"]
    assert top["annotations"]["org.opencontainers.image.ref.name"] == "1.2"
    found = json.loads(read(top))["manifests"]
    assert [each["platform"]["architecture"] for each in found] == ["amd64", "arm64"]
    for each in found:
        manifest = json.loads(read(each))
        config = json.loads(read(manifest["config"]))
        assert config["config"] == {"User": "1"}
        assert config["architecture"] == each["platform"]["architecture"]
        assert config["created"] == when
        assert config["rootfs"]["diff_ids"] == [made.diff_id]
        assert [read(one) for one in manifest["layers"]] == [made.blob]


def test_an_image_is_as_old_as_it_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SOURCE_DATE_EPOCH", raising=False)
    assert build_image.created() == "1970-01-01T00:00:00Z"
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1767323045")
    assert build_image.created() == "2026-01-02T03:04:05Z"
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "yesterday")
    with pytest.raises(SystemExit, match="SOURCE_DATE_EPOCH: 'yesterday' is no number"):
        build_image.created()


def test_bytecode_depends_on_the_source_alone(tmp_path: Path) -> None:
    """marshal writes letters in two ways, by whether the process has interned them."""
    source = "sign = '\N{PILCROW SIGN}'\n"

    def compiled(folder: Path) -> bytes:
        (folder / "opt").mkdir(parents=True)
        (folder / "opt" / "x.py").write_text(source)
        compile_all(folder)
        (made,) = folder.glob("opt/__pycache__/*")
        return made.read_bytes()

    first = compiled(tmp_path / "a")
    plain = marshal.dumps(compile(source, "x.py", "exec"))
    sys.intern("\N{PILCROW SIGN}")
    assert marshal.dumps(compile(source, "x.py", "exec")) != plain, "the control"
    assert compiled(tmp_path / "another-name") == first
    flags = int.from_bytes(first[4:8], "little")
    assert flags == 1, "not by hash, or checked against its source"


def test_source_that_cannot_be_compiled_is_told(tmp_path: Path) -> None:
    (tmp_path / "x.py").write_text("def")
    with pytest.raises(SystemExit, match="can be compiled"):
        compile_all(tmp_path)


def test_an_sbom_names_each_part_once() -> None:
    parts = [
        Part("deb/debian", "libc6", "1:2.3+x", "amd64", "ab" * 32),
        Part("pypi", "aiohttp", "3.9", license="Apache-2.0"),
    ]
    made = document("spiderpool", "amd64", parts, "2026-01-02T03:04:05Z")
    packages = {each["name"]: each for each in made["packages"]}
    references = [packages[part.name]["externalRefs"][0]["referenceLocator"] for part in parts]
    assert references == ["pkg:deb/debian/libc6@1%3A2.3%2Bx?arch=amd64", "pkg:pypi/aiohttp@3.9"]
    assert packages["libc6"]["checksums"][0]["checksumValue"] == "ab" * 32
    assert packages["aiohttp"]["licenseDeclared"] == "Apache-2.0"
    identifiers = [each["SPDXID"] for each in made["packages"]]
    assert len(set(identifiers)) == len(identifiers)
    assert all(re.fullmatch(r"SPDXRef-[A-Za-z0-9.-]+", each) for each in identifiers)
    related = [each["relatedSpdxElement"] for each in made["relationships"]]
    assert sorted(related) == sorted(identifiers)


def test_every_package_is_pinned_for_every_architecture() -> None:
    pins = image_debian.read_pins(PINS)
    for architecture in MACHINES:
        pinned = [pin.package for pin in pins if pin.architecture == architecture]
        assert sorted(pinned) == sorted(image_debian.PACKAGES)


def test_a_pin_without_a_hash_is_told_by_file_and_line(tmp_path: Path) -> None:
    file = tmp_path / "packages.txt"
    file.write_text("# words\namd64 libc6 2.36\n")
    with pytest.raises(SystemExit, match=r"packages\.txt:2: not architecture, package"):
        image_debian.read_pins(file)


def test_every_dependency_is_locked_with_hashes() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    entries = re.split(r"\n(?=\S)", REQUIREMENTS.read_text().partition("\n")[2])
    locked = {each.partition("==")[0]: each for each in entries if "==" in each}
    for dependency in project["dependencies"]:
        name = re.split(r"[<>=]", dependency)[0].lower()
        assert "--hash=sha256:" in locked[name], f"{name}: see the first line of the lock"


def test_no_dependency_is_carried_for_nothing() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    sources = [path.read_text() for path in (ROOT / "spiderpool").rglob("*.py")]
    for dependency in project["dependencies"]:
        name = re.split(r"[<>=]", dependency)[0].lower().removeprefix("py")
        used = re.compile(rf"^\s*(import|from) {name}\b", re.MULTILINE)
        assert any(used.search(source) for source in sources), f"nobody imports {name}"


def test_the_dockerfile_copies_what_the_build_reads() -> None:
    """tests/kernel/image/test_reproducible.py builds from these and nothing else."""
    first = DOCKERFILE.read_text().partition("FROM scratch")[0]
    copied = [line.split()[1:] for line in first.splitlines() if line.startswith("COPY")]
    assert copied == [[part, part] for part in READ_BY_THE_BUILD]


def test_the_dockerfile_says_what_the_layout_says() -> None:
    text = DOCKERFILE.read_text().replace("\\\n", " ")
    last = text.rpartition("FROM scratch")[2]
    said = {line.split(None, 1)[0]: line.split(None, 1)[1] for line in last.splitlines() if line}
    config = build_image.CONFIG
    assert said["ENV"].split() == config["Env"]
    assert said["USER"] == config["User"]
    assert said["WORKDIR"] == config["WorkingDir"]
    assert json.loads(said["CMD"]) == config["Cmd"]
