"""NetworkManager, systemd-networkd and udev: files in, findings out."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from node_facts import FACTS, wrong

from spiderpool.ctl.node import managers
from spiderpool.ctl.node.facts import (
    Managers,
)


def managed(**known: Any) -> list[str]:
    return wrong(managers.check(replace(FACTS, managers=Managers(**known))))


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("", ["the coordinator's veths", "Calico's veths"]),
        ("[keyfile]\nunmanaged-devices=interface-name:cali*", ["the coordinator's veths"]),
        ("[keyfile]\nunmanaged-devices=interface-name:veth*;interface-name:cali*", []),
        ("[keyfile]\nunmanaged-devices=*,except:interface-name:eth0", []),
        ("[device-pods]\nmatch-device=driver:veth\nmanaged=0", []),
        ("#[keyfile]\n#unmanaged-devices=interface-name:*", ["the coordinator's veths"]),
    ],
)
def test_network_manager(text: str, left: list[str]) -> None:
    found = managed(network_manager=True, network_manager_files={"/f": text})
    assert len(found) == bool(left)
    assert all(words in found[0] for words in left)
    assert all("unmanaged-devices=interface-name:veth*" in line for line in found)


NONE_FOREIGN = "[Network]\nManageForeignRoutes=no\nManageForeignRoutingPolicyRules=no\n"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", ["ManageForeignRoutes=no, ManageForeignRoutingPolicyRules=no"]),
        ("[Network]\nManageForeignRoutes=no\n", ["write ManageForeignRoutingPolicyRules=no"]),
        (NONE_FOREIGN, []),
    ],
)
def test_networkd_and_what_is_not_its_own(text: str, words: list[str]) -> None:
    found = managed(networkd=True, networkd_files={"/f": text})
    assert len(found) == len(words)
    assert all(each in line for each, line in zip(words, found, strict=True))


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("[Match]\nName=*\n[Network]\nDHCP=yes", 2),
        ("[Match]\nName=veth*\n[Network]\nDHCP=yes", 1),
        ("[Match]\nName=veth* cali*\n[Link]\nUnmanaged=yes", 0),
        ("[Match]\nName=en*\n[Network]\nDHCP=yes", 0),
        ("[Match]\nName=!veth* cali*\n", 0),
        ("[Match]\nMACAddress=02:00:00:00:00:01\n", 0),
    ],
)
def test_networks_of_networkd_that_match_pods_links(text: str, count: int) -> None:
    found = managed(
        networkd=True, networkd_files={"/f": NONE_FOREIGN}, network_files={"/n.network": text}
    )
    assert len(found) == count
    assert all("/n.network: matches" in line for line in found)


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("[Match]\nName=en*\n[Network]\nIPForward=no", 1),
        ("[Match]\nName=ens192\n[Network]\nIPv4Forwarding=no\nIPv6Forwarding=no", 2),
        ("[Match]\nName=en*\n[Network]\nIPForward=yes", 0),
        ("[Match]\nName=wl*\n[Network]\nIPForward=no", 0),
    ],
)
def test_networks_of_networkd_that_turn_forwarding_off(text: str, count: int) -> None:
    found = managed(
        networkd=True, networkd_files={"/f": NONE_FOREIGN}, network_files={"/n.network": text}
    )
    assert len(found) == count
    assert all("/n.network: turns forwarding off for ens192" in line for line in found)


PERSISTENT = "[Match]\nOriginalName=*\n[Link]\nMACAddressPolicy=persistent\n"
OURS_FIRST = "[Match]\nKind=macvlan veth\n[Link]\nMACAddressPolicy=none\n"


@pytest.mark.parametrize(
    ("files", "is_wrong"),
    [
        ({}, False),
        ({"/99-default.link": PERSISTENT}, True),
        ({"/10-spiderpool.link": OURS_FIRST, "/99-default.link": PERSISTENT}, False),
        ({"/99-default.link": PERSISTENT.replace("*", "en*")}, False),
    ],
)
def test_the_first_link_file_that_matches_sets_the_policy(
    files: dict[str, str], is_wrong: bool
) -> None:
    found = managed(link_files=files)
    assert len(found) == is_wrong
    assert all("MACAddressPolicy: persistent for macvlan" in line for line in found)
