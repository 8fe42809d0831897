"""What a container runtime's libcni keeps says which namespace a pod has."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from harness.run.existing.cniresults import SandboxSpace, sandbox_spaces, spaces_in
from spiderpool.types.names import PodUID


def entry(uid: str = "u1", container: str = "c1", **more: Any) -> dict[str, Any]:
    return {
        "kind": "cniCacheV1",
        "containerId": container,
        "config": "e30=",
        "ifName": "eth0",
        "networkName": "ptp",
        "cniArgs": [["IgnoreUnknown", "true"], ["K8S_POD_UID", uid]],
        **more,
    }


def test_since_libcni_1_2_it_is_said() -> None:
    (found,) = spaces_in(entry(netns="/run/netns/cni-1"))
    assert found == SandboxSpace(PodUID("u1"), "c1", "/run/netns/cni-1")


def test_before_the_result_says_it() -> None:
    interfaces = [{"name": "veth1", "mac": "02:00:00:00:00:01"}, {"name": "eth0", "sandbox": "/n"}]
    (found,) = spaces_in(entry(result={"cniVersion": "0.4.0", "interfaces": interfaces}))
    assert found.netns == "/n"


@pytest.mark.parametrize(
    "content",
    [
        [],
        {"kind": "other"},
        entry(),
        entry(netns="relative"),
        entry(netns=7),
        entry(netns="/n", cniArgs=None),
        entry(netns="/n", cniArgs=[["K8S_POD_UID"], "x"]),
        entry(result={"interfaces": "x"}),
        entry(result={"interfaces": [{"sandbox": ""}, 3]}),
    ],
)
def test_other_contents_say_nothing(content: Any) -> None:
    assert list(spaces_in(content)) == []


def test_the_latest_sandbox_comes_first_and_what_is_no_json_is_left_out(tmp_path: Path) -> None:
    for age, name in enumerate(("newest", "older")):
        file = tmp_path / name
        file.write_text(json.dumps(entry(container=name, netns=f"/{name}")))
        os.utime(file, (100 - age, 100 - age))
    (tmp_path / "broken").write_text("{")
    (tmp_path / "folder").mkdir()
    assert [each.container for each in sandbox_spaces(tmp_path)] == ["newest", "older"]


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        sandbox_spaces(tmp_path / "nowhere")
