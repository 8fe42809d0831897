"""The ``ipam`` object of a network: what is read, refused and told."""

from __future__ import annotations

from typing import Any

import pytest

from spiderpool.errors import BadInput, CniCode, CniError
from spiderpool.ipam.netconf import IpamConf, read_conf
from spiderpool.types.address import Family
from spiderpool.types.names import PoolName


def test_the_networks_configuration_is_read() -> None:
    conf = {"name": "n", "ipam": {"default_ipv4_ippool": ["a"], "match_master_subnet": True}}
    assert read_conf(conf) == IpamConf({Family.V4: (PoolName("a"),)}, match_master=True)
    for wrong, words in (
        ({"default_ipv4_ippool": "a"}, "default_ipv4_ippool: 'a' is not a list of names"),
        ({"clean_gateway": "no"}, "clean_gateway: 'no' is not true or false"),
        (["a"], "is not an object"),
        (None, r'ipam: is missing; write {"type":"spiderpool"}'),
        ({"ipam_unix_socket_path": "/run/containerd/containerd.sock"}, "is not below /var/run/sp"),
        ({"ipam_unix_socket_path": "/run/spidernet/../x.sock"}, r"ipam_unix_socket_path: '/run/s"),
        ({"ipam_unix_socket_path": 5}, "leave it out: the plugin knows its agent's socket"),
    ):
        with pytest.raises(BadInput, match=words):
            read_conf({"name": "n", "ipam": wrong})
    assert read_conf({"name": "n", "ipam": {"of_others": 1}}) == IpamConf({})
    upstreams = {"ipam_unix_socket_path": "/var/run/spidernet/spiderpool.sock", "log_level": "info"}
    assert read_conf({"name": "n", "ipam": upstreams}) == IpamConf({}, ignored=("log_level",))


@pytest.mark.parametrize("key", ["default_ipv4_ipool", "defaultIPv4IPPool", "default_ipv4_pool"])
def test_a_slip_of_the_pen_is_told(key: str) -> None:
    with pytest.raises(CniError, match=rf"ipam.{key}: .*did you mean default_ipv4_ippool") as said:
        read_conf({"name": "n", "ipam": {key: ["a"]}})
    assert said.value.code is CniCode.UNSUPPORTED_FIELD


def test_a_network_whose_log_file_is_ignored_is_told_once(
    play: Any, caplog: pytest.LogCaptureFixture
) -> None:
    async def story(world: Any) -> None:
        await world.pool("a", "10.6.212.100-10.6.212.101")
        conf = {"default_ipv4_ippool": ["a"], "log_file_path": "/etc/cron.d/x"}
        async with world.agent() as agent:
            for name in ("x", "y"):
                await world.pod(f"default/{name}")
                await agent.add(f"default/{name}", ipam=conf)

    play(story)
    told = [line for line in caplog.messages if "log_file_path" in line]
    assert told == ["network n: ipam.log_file_path: ignored; the plugin's log is this one"]
