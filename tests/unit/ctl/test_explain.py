"""``spiderpoolctl explain pod``: every pool's word, by what ADD itself decides on."""

from __future__ import annotations

import json
from typing import Any

import pytest

from spiderpool.kube.resources import DAEMONSET, NETWORKATTACHMENT, POD

NETWORKS = "k8s.v1.cni.cncf.io/networks"
IPPOOL = "ipam.spidernet.io/ippool"
SUBNET = "ipam.spidernet.io/subnet"
WEB = {
    "apiVersion": "apps/v1",
    "kind": "StatefulSet",
    "name": "web",
    "uid": "s",
    "controller": True,
}


async def network(world: Any, name: str, **ipam: Any) -> None:
    config = {"name": name, "plugins": [{"type": "macvlan", "ipam": ipam}]}
    obj = {
        "metadata": {"name": name, "namespace": "default"},
        "spec": {"config": json.dumps(config)},
    }
    await world.put(NETWORKATTACHMENT, obj)


async def pools(world: Any) -> None:
    await world.node("worker01", "10.6.0.250")
    await network(world, "lan", type="spiderpool", default_ipv4_ippool=["a"])
    await world.pool("off", "10.6.0.1-10.6.0.9", disable=True)
    await world.pool("other", "10.6.1.1-10.6.1.9", nodeName=["worker02"])
    await world.pool("a", "10.6.2.1-10.6.2.9")
    await world.pool("b", "10.6.3.1-10.6.3.9")


def pod(world: Any, name: str = "x") -> Any:
    return world.pod(f"default/{name}", annotations={NETWORKS: "lan"})


def test_every_pool_says_why(shell: Any) -> None:
    async def story(world: Any) -> None:
        await pools(world)
        wanted = '{"ipv4":["off","other","a","b"]}'
        await world.pod("default/x", annotations={NETWORKS: "lan", IPPOOL: wanted})

    shell.prepare(story)
    status, out, _ = shell.ctl("explain", "pod", "default/x")
    assert status == 0
    assert out.splitlines() == [
        "Pod default/x, on node worker01",
        f"net1 from default/lan, IPv4: chosen by Pod default/x: annotation {IPPOOL}",
        "  a      10.6.2.1 is the lowest free one; 9 of 9 free",
        "  b      is asked when those before it have nothing; 9 of 9 free",
        "  off    disabled (spec.disable)",
        "  other  node worker01 not in nodeName [worker02]",
        "  => 10.6.2.1 of a",
    ]
    assert shell.states() == {}, "explaining writes nothing"


def test_what_is_explained_is_what_add_gives(shell: Any) -> None:
    async def story(world: Any) -> str:
        await pools(world)
        await pod(world)
        async with world.agent() as agent:
            await agent.add("default/x", ipam={"default_ipv4_ippool": ["a"]})
            await pod(world, "y")
        return ""

    shell.prepare(story)
    told = json.loads(shell.ctl("explain", "pod", "default/y", "--json")[1])
    (family,) = told[0]["families"]
    assert (family["address"], family["chosenBy"]) == ("10.6.2.2", "the CNI configuration")

    async def add(world: Any) -> list[str]:
        async with world.agent() as agent:
            return list(await agent.add("default/y", ipam={"default_ipv4_ippool": ["a"]}))

    assert shell.prepare(add) == ["10.6.2.2/16"]


def test_what_is_held_and_what_a_new_pod_would_get(shell: Any) -> None:
    async def story(world: Any) -> None:
        await pools(world)
        await pod(world)
        async with world.agent() as agent:
            await agent.add("default/x", ipam={"default_ipv4_ippool": ["a"]})

    shell.prepare(story)
    assert "  a  10.6.2.1 is held by the NIC" in shell.ctl("explain", "pod", "default/x")[1]
    out = shell.ctl("explain", "pod", "default/x", "--dry-run")[1]
    assert "  a  10.6.2.2 is the lowest free one; 8 of 9 free" in out


def test_a_statefulsets_pod_takes_its_address_over(shell: Any) -> None:
    async def story(world: Any) -> None:
        await pools(world)
        conf = {"default_ipv4_ippool": ["a"]}
        async with world.agent() as agent:
            await world.pod("default/first")
            await agent.add("default/first", ipam=conf)
            meta = {"annotations": {NETWORKS: "lan"}, "ownerReferences": [WEB]}
            await world.pod("default/web-0", **meta)
            await agent.add("default/web-0", ipam=conf)
        await world.api.delete(POD, "web-0", "default", grace_seconds=0)
        await world.pod("default/web-0", **meta)

    shell.prepare(story)
    out = shell.ctl("explain", "pod", "default/web-0")[1]
    assert "Pod default/web-0, of StatefulSet web, on node worker01" in out
    assert "10.6.2.2 is taken over from the earlier default/web-0" in out


def test_no_address_is_status_1(shell: Any) -> None:
    async def story(world: Any) -> None:
        await pools(world)
        notes = {NETWORKS: "lan", IPPOOL: '{"ipv4":["off"]}'}
        await world.pod("default/x", annotations=notes)

    shell.prepare(story)
    status, out, _ = shell.ctl("explain", "pod", "default/x")
    assert status == 1
    assert out.splitlines()[-1] == "  => no address"


@pytest.mark.parametrize(
    ("annotations", "words"),
    [
        ({IPPOOL: "["}, f"net1 from default/lan: Pod default/x: annotation {IPPOOL}: '[' is not"),
        ({NETWORKS: "missing"}, "NetworkAttachmentDefinition default/missing: does not exist"),
        ({NETWORKS: "plain"}, "default/plain: does not use spiderpool for addresses"),
        ({SUBNET: '{"ipv4":["s"]}'}, "SpiderSubnet feature doesn't support no-controller pod"),
        ({IPPOOL: '{"ipv4":["nope"]}'}, 'IPPool "nope" does not exist'),
    ],
)
def test_what_stands_in_the_way_is_said_of_the_nic(
    shell: Any, annotations: dict[str, str], words: str
) -> None:
    async def story(world: Any) -> None:
        await pools(world)
        await network(world, "plain", type="host-local")
        await world.pod("default/x", annotations={NETWORKS: "lan", **annotations})

    shell.prepare(story)
    status, out, _ = shell.ctl("explain", "pod", "default/x")
    assert status == 1
    assert words in out


@pytest.mark.parametrize(
    ("name", "words"),
    [("default/none", "Pod default/none: does not exist"), ("none", "none: is no pod; write it")],
)
def test_no_such_pod_is_one_line(shell: Any, name: str, words: str) -> None:
    shell.prepare(pools)
    status, out, err = shell.ctl("explain", "pod", name)
    assert (status, out) == (2, "")
    assert err.startswith(f"spiderpoolctl: {words}")
    assert err.count("\n") == 1


def test_a_pool_whose_addresses_are_all_spoken_for(shell: Any) -> None:
    async def story(world: Any) -> None:
        await pools(world)
        await world.pool("e", "10.6.9.1-10.6.9.2", gateway="10.6.9.1", excludeIPs=["10.6.9.2"])
        notes = {NETWORKS: "lan", IPPOOL: '{"ipv4":["e"]}'}
        await world.pod("default/x", annotations=notes)

    shell.prepare(story)
    assert (
        "  e  it has no address to give: all are excl"
        in shell.ctl("explain", "pod", "default/x")[1]
    )


def test_what_is_held_is_shown_though_the_rules_have_changed(shell: Any) -> None:
    async def story(world: Any) -> None:
        await pools(world)
        await pod(world)
        async with world.agent() as agent:
            await agent.add("default/x", ipam={"default_ipv4_ippool": ["a"]})
        note = {"metadata": {"annotations": {IPPOOL: '{"ipv4":["gone"]}'}}}
        await world.api.patch(POD, "x", note, "default")

    shell.prepare(story)
    assert "10.6.2.1 is held by the NIC" in shell.ctl("explain", "pod", "default/x")[1]
    assert 'IPPool "gone" does not' in shell.ctl("explain", "pod", "default/x", "--dry-run")[1]


async def held_first(world: Any) -> None:
    """Two NICs that draw from the same pool."""
    await pools(world)
    await network(world, "wan", type="spiderpool", default_ipv4_ippool=["a"])
    await world.pod("default/x", annotations={NETWORKS: "lan,wan"})


def given(shell: Any, *words: str) -> dict[str, str]:
    """The IPv4 address that each NIC would get."""
    told = json.loads(shell.ctl("explain", "pod", "default/x", "--json", *words)[1])
    return {nic["nic"]: nic["families"][0]["address"] for nic in told}


def test_a_nic_is_explained_after_those_before_it(shell: Any) -> None:
    shell.prepare(held_first)
    both = {"net1": "10.6.2.1", "net2": "10.6.2.2"}
    assert given(shell) == given(shell, "--dry-run") == both
    assert given(shell, "--nic", "net2") == {"net2": "10.6.2.2"}
    assert shell.states() == {}

    async def add(world: Any) -> dict[str, str]:
        conf = {"default_ipv4_ippool": ["a"]}
        async with world.agent() as agent:
            return {
                nic: (await agent.add("default/x", nic=nic, ipam=conf))[0].partition("/")[0]
                for nic in ("net1", "net2")
            }

    assert shell.prepare(add) == both


def test_items_without_names_go_to_the_nics_in_order(shell: Any) -> None:
    async def story(world: Any) -> None:
        await held_first(world)
        items = '[{"ipv4":["a"]},{"ipv4":["b"]}]'
        note = {"metadata": {"annotations": {"ipam.spidernet.io/ippools": items}}}
        await world.api.patch(POD, "x", note, "default")

    shell.prepare(story)
    assert given(shell) == {"net1": "10.6.2.1", "net2": "10.6.3.1"}


async def agents(world: Any, *words: str) -> None:
    """The DaemonSet as the chart installs it."""
    labels = {"app.kubernetes.io/name": "spiderpool", "app.kubernetes.io/component": "agent"}
    template = {"spec": {"containers": [{"name": "agent", "args": list(words)}]}}
    meta = {"name": "spiderpool-agent", "namespace": "sp", "labels": labels}
    await world.put(DAEMONSET, {"metadata": meta, "spec": {"template": template}})


def test_the_agents_own_options_count(shell: Any) -> None:
    async def story(world: Any) -> None:
        await pools(world)
        await agents(world, "--namespace=sp", "--cluster-network=default/lan", "--disable-ipv6")
        await world.pool("of-sp", "10.6.4.1", multusName=["lan"])
        await world.pool("of-default", "10.6.5.1", multusName=["default/lan"])
        wanted = '{"ipv4":["of-sp","of-default"],"ipv6":["six"]}'
        await world.pod("default/x", annotations={IPPOOL: wanted})

    shell.prepare(story)
    status, out, _ = shell.ctl("explain", "pod", "default/x")
    assert status == 0
    assert out.splitlines()[1:] == [
        f"eth0 from default/lan, IPv4: chosen by Pod default/x: annotation {IPPOOL}",
        "  of-default  10.6.5.1 is the lowest free one; 1 of 1 free",
        "  of-sp       eth0 comes from default/lan, not in multusName [sp/lan]",
        "  => 10.6.5.1 of of-default",
    ]


def test_an_eth0_of_others_is_not_asked_about(shell: Any) -> None:
    async def story(world: Any) -> None:
        await pools(world)
        await network(world, "calico", type="calico-ipam")
        default = {"v1.multus-cni.io/default-network": "default/calico"}
        await world.pod("default/x", annotations={NETWORKS: "lan", **default})

    shell.prepare(story)
    assert given(shell) == {"net1": "10.6.2.1"}


@pytest.mark.parametrize(
    "config", ["[]", "3", '{"plugins":{"a":1}}', '{"plugins":[7]}', '{"ipam":7}']
)
def test_an_odd_definition_is_no_traceback(shell: Any, config: str) -> None:
    async def story(world: Any) -> None:
        meta = {"name": "odd", "namespace": "default"}
        await world.put(NETWORKATTACHMENT, {"metadata": meta, "spec": {"config": config}})
        await world.pod("default/x", annotations={NETWORKS: "odd"})

    shell.prepare(story)
    status, out, _ = shell.ctl("explain", "pod", "default/x")
    assert status == 1
    assert "NetworkAttachmentDefinition default/odd: does not use spiderpool" in out
