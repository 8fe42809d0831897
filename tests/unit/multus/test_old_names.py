"""Manifests of releases before v0.6 keep their meaning."""

from typing import Any

import pytest

from spiderpool.multus.old_names import modernised, read_network
from spiderpool.types.modes import Mode

OLD_PAGE = {
    "metadata": {"name": "macvlan-ens192", "namespace": "default"},
    "spec": {
        "cniType": "macvlan",
        "coordinator": {"podCIDRType": "cluster", "tuneMode": "overlay"},
        "enableCoordinator": True,
        "macvlan": {
            "master": ["ens192"],
            "spiderpoolConfigPools": {"IPv4IPPool": ["10-6-v4"]},
            "vlanID": 0,
        },
    },
}


def test_the_older_form_of_the_pages_network() -> None:
    smc, warnings = read_network(OLD_PAGE)
    assert smc.spec.macvlan is not None
    assert smc.spec.macvlan.ippools.ipv4 == ("10-6-v4",)
    assert smc.spec.coordinator is not None
    assert smc.spec.coordinator.mode is Mode.OVERLAY
    assert warnings == (
        "spec.macvlan.spiderpoolConfigPools was renamed in v0.6: write spec.macvlan.ippools",
        "spec.coordinator.tuneMode was renamed in v0.6: write spec.coordinator.mode",
    )


def test_no_old_name_is_left() -> None:
    modern, _ = modernised(OLD_PAGE)
    assert "spiderpoolConfigPools" not in modern["spec"]["macvlan"]
    assert "tuneMode" not in modern["spec"]["coordinator"]
    assert modernised(modern) == (modern, ())


def test_the_new_name_counts_where_both_stand() -> None:
    macvlan = {"ippools": {"ipv4": ["new"], "ipv6": []}, "spiderpoolConfigPools": {}}
    macvlan["spiderpoolConfigPools"] = {"IPv4IPPool": ["old"], "IPv6IPPool": ["old6"]}
    modern, _ = modernised({"spec": {"macvlan": macvlan, "coordinator": {"mode": "underlay"}}})
    assert modern["spec"]["macvlan"]["ippools"] == {"ipv4": ["new"], "ipv6": ["old6"]}


@pytest.mark.parametrize("obj", [{}, {"spec": []}, {"spec": {"macvlan": []}}])
def test_what_is_no_object_is_left_as_it_is(obj: dict[str, Any]) -> None:
    assert modernised(obj) == (obj, ())
