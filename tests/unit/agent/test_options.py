"""The agent's options."""

from __future__ import annotations

import pytest

from spiderpool.agent.options import parse
from spiderpool.errors import BadInput
from spiderpool.metrics.http import Listen
from spiderpool.types.address import Family


def test_pages_are_off_and_both_families_on() -> None:
    options = parse(["--node", "worker01"])
    assert (options.health, options.metrics) == (None, None)
    assert options.families == {Family.V4, Family.V6}


def test_families_networks_and_pages() -> None:
    words = ["--node", "n", "--disable-ipv6", "--cluster-network", "kube-system/calico"]
    words += ["--namespace", "spider", "--metrics-listen", "0.0.0.0:5711"]
    options = parse(words)
    assert options.families == {Family.V4}
    assert (options.cluster_network, options.namespace) == ("kube-system/calico", "spider")
    assert options.metrics == Listen("0.0.0.0", 5711)


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("--node", ""),
        ("--node", "../x"),
        ("--node", "n" * 254),
        ("--namespace", "Kube System"),
        ("--cluster-network", "a/b/c"),
        ("--cluster-network", "/etc/cni/net.d/10-calico.conflist"),
        ("--cluster-network", "/"),
    ],
)
def test_a_name_that_nothing_can_have_is_refused(option: str, value: str) -> None:
    with pytest.raises(BadInput, match=f"^{option}: '{value}' is n"):
        parse(["--node", "n", option, value])


def test_no_family_at_all_is_refused() -> None:
    with pytest.raises(BadInput, match="no address is left to give"):
        parse(["--node", "n", "--disable-ipv4", "--disable-ipv6"])
