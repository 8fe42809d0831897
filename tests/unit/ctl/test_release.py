"""``spiderpoolctl ip release``: not from those who live, unless it is forced."""

from __future__ import annotations

from typing import Any

import pytest

from spiderpool.ipam.ledger import owner_of
from spiderpool.kube.resources import POD, STATEFULSET

CONF = {"default_ipv4_ippool": ["a"]}
WEB = {
    "apiVersion": "apps/v1",
    "kind": "StatefulSet",
    "name": "web",
    "uid": "s",
    "controller": True,
}


async def held(world: Any, **metadata: Any) -> None:
    """Pod web-0 holds 10.6.0.1."""
    await world.node("worker01", "10.6.0.250")
    await world.pool("a", "10.6.0.1-10.6.0.9")
    async with world.agent() as agent:
        await world.pod("default/web-0", **metadata)
        await agent.add("default/web-0", ipam=CONF)


async def gone(world: Any, **metadata: Any) -> None:
    await held(world, **metadata)
    await world.api.delete(POD, "web-0", "default", grace_seconds=0)


@pytest.mark.parametrize("what", ["10.6.0.1", "default/web-0"])
def test_who_lives_keeps_it(shell: Any, what: str) -> None:
    shell.prepare(held)
    status, out, err = shell.ctl("ip", "release", what)
    assert (status, out) == (2, "")
    assert err == (
        "spiderpoolctl: 10.6.0.1: is held by Pod default/web-0, which exists;"
        " --force takes it away all the same\n"
    )
    assert shell.states() == {"10.6.0.1": "held"}


@pytest.mark.parametrize("what", ["10.6.0.1", "default/web-0"])
def test_force_takes_it_from_the_living(shell: Any, what: str) -> None:
    shell.prepare(held)
    status, out, _ = shell.ctl("ip", "release", what, "--force")
    assert (status, out) == (0, "10.6.0.1 of default/web-0 (net1) is released\n")
    assert shell.states() == {"10.6.0.1": "cooling"}
    assert shell.endpoints() == []


@pytest.mark.parametrize("what", ["10.6.0.1", "default/web-0"])
def test_what_a_vanished_pod_held_is_released(shell: Any, what: str) -> None:
    shell.prepare(gone)
    assert shell.ctl("ip", "release", what)[0] == 0
    assert shell.states() == {"10.6.0.1": "cooling"}


def test_what_a_statefulset_keeps_stays(shell: Any) -> None:
    async def story(world: Any) -> None:
        obj = {"metadata": {"name": "web", "namespace": "default"}, "spec": {"replicas": 1}}
        await world.put(STATEFULSET, obj)
        await gone(world, ownerReferences=[WEB])

    shell.prepare(story)
    status, _, err = shell.ctl("ip", "release", "default/web-0")
    assert status == 2
    assert "is kept by StatefulSet/web for its next default/web-0" in err
    assert shell.states() == {"10.6.0.1": "held"}


def test_an_address_that_rests_is_freed_by_force_only(shell: Any) -> None:
    shell.prepare(gone)
    shell.ctl("ip", "release", "10.6.0.1")
    status, _, err = shell.ctl("ip", "release", "10.6.0.1")
    assert status == 2
    assert "10.6.0.1: cools down until 20" in err
    assert "--force frees it at once" in err
    assert shell.ctl("ip", "release", "10.6.0.1", "--force")[0] == 0
    assert shell.states() == {}


def test_a_record_that_changed_after_the_look_stays(
    shell: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody else gets the address between look and write."""
    shell.prepare(gone)
    real = shell.world.api.patch

    async def patch(kind: Any, name: str, body: Any, *args: Any, **kwargs: Any) -> Any:
        path = body[-1]["path"]
        before = next(e for e in (await shell.world.ledger()).entries())
        assert owner_of(before.slot).nic == "net1"
        slot = {"generation": 7, "state": "held", "podUid": "new", "nic": "net1"}
        await real(kind, name, [{"op": "replace", "path": path, "value": slot}], *args, **kwargs)
        return await real(kind, name, body, *args, **kwargs)

    monkeypatch.setattr(shell.world.api, "patch", patch)
    status, _, err = shell.ctl("ip", "release", "10.6.0.1")
    assert (status, err) == (2, "spiderpoolctl: 10.6.0.1: changed hands meanwhile; look again\n")
    assert shell.states() == {"10.6.0.1": "held"}


@pytest.mark.parametrize(
    ("what", "words"),
    [
        ("10.6.0.7", "10.6.0.7: is held by nobody"),
        ("default/other", "default/other: holds no address"),
        ("rubbish", "'rubbish' is no address and no pod; give an IP address or namespace/name"),
    ],
)
def test_what_leads_nowhere_is_one_line(shell: Any, what: str, words: str) -> None:
    shell.prepare(held)
    status, out, err = shell.ctl("ip", "release", what)
    assert (status, out) == (2, "")
    assert err.count("\n") == 1
    assert words in err
