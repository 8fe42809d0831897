"""The file that says where an existing cluster's machines are."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from harness.run.existing.inventory import NodeEntry, read_inventory
from spiderpool.errors import BadInput

NODE = {"netns": "/run/netns/worker01", "cniResults": "/var/lib/cni/results"}
WHOLE = {
    "kubeconfig": "/etc/kubernetes/admin.conf",
    "nodes": {"worker01": NODE},
    "places": {"router": "/run/netns/router"},
}


def written(folder: Path, content: Any) -> Path:
    file = folder / "cluster.json"
    file.write_text(content if isinstance(content, str) else json.dumps(content, indent=1))
    return file


def test_all_of_it(tmp_path: Path) -> None:
    found = read_inventory(written(tmp_path, WHOLE))
    assert found.kubeconfig == Path("/etc/kubernetes/admin.conf")
    results = Path("/var/lib/cni/results")
    assert found.nodes == {"worker01": NodeEntry(Path("/run/netns/worker01"), results)}
    assert found.places == {"router": Path("/run/netns/router")}


def test_only_nodes_must_be_there(tmp_path: Path) -> None:
    found = read_inventory(written(tmp_path, {"nodes": {"worker01": NODE}}))
    assert (found.kubeconfig, found.places) == (None, {})


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("{", "is not YAML"),
        ("[]", "must be a mapping"),
        ({}, "has no 'nodes'; add `nodes: ...`"),
        ({"nodes": {}}, ":2: there is no node"),
        ({"nodes": {"worker01": {"netns": "/a"}}}, "worker01 has no 'cniResults'"),
        ({"nodes": {"worker01": {**NODE, "pid": 1}}}, "'pid' is not known in worker01"),
        ({"nodes": {"worker01": {**NODE, "netns": "a"}}}, ":4: 'a' is no absolute path"),
        ({"nodes": {"../x": NODE}}, "'../x' cannot name a machine"),
        ({**WHOLE, "places": {"worker01": "/a"}}, "worker01 is a node already"),
        ({**WHOLE, "kubeconfig": ["/a"]}, "kubeconfig must be a text"),
    ],
)
def test_mistakes_are_refused_with_their_place(tmp_path: Path, content: Any, words: str) -> None:
    file = written(tmp_path, content)
    with pytest.raises(BadInput) as caught:
        read_inventory(file)
    assert str(caught.value).startswith(str(file))
    assert words in str(caught.value)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="nowhere: cannot be read: No such file"):
        read_inventory(tmp_path / "nowhere")
