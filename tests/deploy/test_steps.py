"""What the steps of an installation decide, without a cluster."""

from __future__ import annotations

import asyncio
import json
import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spiderpool.controller.install.defaults import install_objects, read_objects
from spiderpool.controller.install.definitions import OURS, is_ours
from spiderpool.controller.install.main import main
from spiderpool.controller.install.merging import INSTALLED, decide
from spiderpool.controller.install.network import network
from spiderpool.controller.install.patience import NotYet, patiently
from spiderpool.controller.install.plugins import install_plugins
from spiderpool.errors import BadInput, Invalid
from spiderpool.kube.resources import SPIDERCOORDINATOR, SPIDERIPPOOL
from spiderpool.testing.kube import FakeClient

Object = dict[str, Any]


def wish(**spec: Any) -> Object:
    return {"kind": "SpiderCoordinator", "metadata": {"name": "default"}, "spec": spec}


def stored(noted: Object | None, **spec: Any) -> Object:
    """As the API has it; ``noted`` is what an installation wrote last."""
    annotations = {} if noted is None else {INSTALLED: json.dumps(noted, sort_keys=True)}
    metadata = {"name": "default", "resourceVersion": "7", "annotations": annotations}
    return {"metadata": metadata, "spec": spec}


def test_what_is_missing_is_created_and_noted() -> None:
    created = decide(wish(mode="overlay"), None).create
    assert created is not None
    assert created["spec"] == {"mode": "overlay"}
    assert json.loads(created["metadata"]["annotations"][INSTALLED]) == {"mode": "overlay"}


def test_what_only_we_wrote_follows_the_values() -> None:
    decision = decide(wish(mode="overlay"), stored({"mode": "auto"}, mode="auto", vethMTU=1400))
    assert decision.patch is not None
    assert decision.patch["spec"] == {"mode": "overlay"}
    assert decision.patch["metadata"]["resourceVersion"] == "7"
    assert decision.kept == ()


def test_what_somebody_changed_is_kept_and_named() -> None:
    before = {"mode": "auto", "vethMTU": 1500}
    decision = decide(
        wish(mode="overlay", vethMTU=1400), stored(before, mode="underlay", vethMTU=1500)
    )
    assert decision.patch is not None
    assert decision.patch["spec"] == {"vethMTU": 1400}
    assert decision.kept == ("mode",)


def test_an_object_of_somebody_else_gets_only_what_it_lacks() -> None:
    decision = decide(wish(mode="overlay", hostRuleTable=500), stored(None, mode="auto"))
    assert decision.patch is not None
    assert decision.patch["spec"] == {"hostRuleTable": 500}
    assert decision.kept == ("mode",)


@given(st.dictionaries(st.sampled_from("abcd"), st.integers(0, 3), min_size=1))
def test_a_second_time_changes_nothing(spec: Object) -> None:
    assert decide(wish(**spec), stored(spec, **spec)) == decide(wish(), stored({}))


_specs = st.dictionaries(st.sampled_from("abcd"), st.integers(0, 2))


@given(wanted=_specs, noted=_specs, now=_specs)
def test_a_change_by_hand_is_never_undone(wanted: Object, noted: Object, now: Object) -> None:
    patch = decide(wish(**wanted), stored(noted, **now)).patch or {}
    for key in patch.get("spec", {}):
        assert key not in now or now[key] == noted.get(key)


def test_a_spoilt_note_counts_as_none() -> None:
    existing = stored(None, mode="auto")
    existing["metadata"]["annotations"][INSTALLED] = "[not json"
    assert decide(wish(mode="overlay"), existing).kept == ("mode",)


@pytest.mark.parametrize(
    ("named", "found", "name", "attachment"),
    [
        ("", ("cbr0", "flannel"), "cbr0", None),
        ("", ("k8s-pod-network", "calico"), "calico", "k8s-pod-network"),
        ("k8s-pod-network", None, "k8s-pod-network", None),
        ("ovn", ("cbr0", "flannel"), "ovn", None),
        ("", (), "default", None),
        ("", None, "default", None),
        ("", ("No_Name", "bridge"), "default", None),
    ],
)
def test_the_default_network(
    named: str, found: tuple[str, ...] | None, name: str, attachment: str | None
) -> None:
    made = network("spiderpool", named, found)
    assert made["metadata"]["name"] == name
    assert made["metadata"]["namespace"] == "spiderpool"
    assert made["metadata"]["annotations"].get("multus.spidernet.io/cr-name") == attachment
    assert made["spec"] == {"cniType": "custom", "enableCoordinator": False}


def test_a_default_network_that_cannot_be_named_so() -> None:
    with pytest.raises(BadInput, match=r"defaultCniCRName: 'A_b' is no name; use small letters"):
        network("spiderpool", "A_b", None)


def test_objects_are_created_complete_and_once() -> None:
    async def act() -> tuple[Object, Object]:
        client = FakeClient()
        pool = {
            "kind": "SpiderIPPool",
            "metadata": {"name": "p"},
            "spec": {"subnet": "10.6.0.0/16", "ips": ["10.6.0.20", "10.6.0.10"]},
        }
        await install_objects(client, [wish(mode="overlay", podCIDRType="auto"), pool], 1)
        first = await client.get(SPIDERIPPOOL, "p")
        await install_objects(client, [wish(mode="overlay", podCIDRType="auto"), pool], 1)
        assert await client.get(SPIDERIPPOOL, "p") == first
        return first, await client.get(SPIDERCOORDINATOR, "default")

    pool, coordinator = asyncio.run(act())
    assert pool["spec"]["ipVersion"] == 4
    assert pool["metadata"]["finalizers"] == ["spiderpool.spidernet.io"]
    assert coordinator["spec"]["mode"] == "overlay"


def test_patience_ends_with_the_reason() -> None:
    async def never() -> None:
        raise NotYet("nobody is there")

    with pytest.raises(BadInput, match=r"the thing: not done in 0 s: nobody is there"):
        asyncio.run(patiently(never, 0, "the thing"))


def test_what_is_refused_for_good_is_not_tried_again() -> None:
    tries = []

    async def refused() -> None:
        tries.append(1)
        raise Invalid(422, "Invalid", "spec.subnet: wrong")

    with pytest.raises(Invalid):
        asyncio.run(patiently(refused, 60, "the thing"))
    assert len(tries) == 1


def test_definitions_of_multus_itself_are_not_ours() -> None:
    foreign: Object = {"metadata": {}, "spec": {"group": "k8s.cni.cncf.io"}}
    assert not is_ours(foreign)
    assert is_ours(foreign | {"metadata": {"labels": {**OURS, "a": "b"}}})
    assert is_ours({"metadata": {}, "spec": {"group": "spiderpool.spidernet.io"}})


def test_plugins_take_the_place_of_old_ones(tmp_path: Path) -> None:
    source, node = tmp_path / "image", tmp_path / "node"
    source.mkdir()
    node.mkdir()
    (source / "client").write_bytes(b"new")
    (source / "spiderpool").symlink_to("client")
    (node / "spiderpool").write_bytes(b"old")
    with (node / "spiderpool").open("rb") as running:
        install_plugins((source,), node)
        assert running.read() == b"old"
    assert (node / "spiderpool").read_bytes() == b"new"
    assert not (node / "spiderpool").is_symlink()
    assert os.access(node / "spiderpool", os.X_OK)
    assert sorted(path.name for path in node.iterdir()) == ["client", "spiderpool"]


def test_wrong_input_ends_with_one_line(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["plugins", str(tmp_path / "nowhere"), f"--to={tmp_path}"]) == 2
    said = capfd.readouterr().err.splitlines()
    assert said == [
        f"spiderpool install: {tmp_path}/nowhere: No such file or directory; mount the folder"
    ]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{", "cannot be read"),
        ("{}", "is not a list of objects"),
        ('[{"kind": "Pod"}]', "is no object of ours"),
    ],
)
def test_a_file_of_objects_that_is_wrong(tmp_path: Path, text: str, words: str) -> None:
    path = tmp_path / "objects.json"
    path.write_text(text)
    with pytest.raises(BadInput, match=words):
        read_objects(path)
