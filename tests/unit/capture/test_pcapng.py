"""A file that others read: an interface a NIC, the direction and the comment a packet."""

from __future__ import annotations

from harness.capture.frame import Frame, Framing, Heard
from harness.capture.pcapng import pcapng

MOMENT = 1_700_000_000_123_456_789
TAG = b"\x81\x00\x60\x64"
"""Of VLAN 100, with priority 3."""

FRAMES = [
    Frame(MOMENT, "web", "eth0", Heard.OUTGOING, b"odd length....."),
    Frame(MOMENT + 1, "node", "cali1", Heard.HOST, b"even length..."),
    Frame(MOMENT + 2, "web", "eth0", Heard.HOST, b"back"),
    Frame(MOMENT + 3, "web", "tun0", Heard.HOST, b"raw", Framing.NONE),
    Frame(MOMENT + 4, "web", "eth0", Heard.HOST, b"six to, from 12" + bytes(5), tag=TAG),
]


def test_a_reader_finds_what_was_written() -> None:
    import io

    from scapy.utils import RawPcapNgReader

    file = io.BytesIO(b"".join(pcapng(FRAMES, "verdict: fine")))
    reader = RawPcapNgReader(file)
    found = list(reader)
    assert [data for data, _ in found[:4]] == [frame.data for frame in FRAMES[:4]]
    first, second, third, fourth, _ = (metadata for _, metadata in found)
    assert (first.tshigh << 32) + first.tslow == MOMENT
    assert [each.ifname for each in (first, second, third, fourth)] == [
        b"web/eth0",
        b"node/cali1",
        b"web/eth0",
        b"web/tun0",
    ]
    assert [each.linktype for each in (first, fourth)] == [1, 101]
    assert [each.direction for each in (first, second)] == [2, 1]
    assert {tuple(each.comments) for each in (first, fourth)} == {(b"verdict: fine",)}


def test_a_tag_is_where_it_was_on_the_wire() -> None:
    tagged = FRAMES[-1]
    assert tagged.vlan == 100
    assert tagged.on_the_wire == b"six to, from" + TAG + b" 12" + bytes(5)
    assert tagged.on_the_wire in b"".join(pcapng([tagged], ""))
    assert FRAMES[0].vlan is None
