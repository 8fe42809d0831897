"""Which modules the machine begins with, and which kernels it takes."""

import pytest
from vm_initramfs import closure, dependencies_of
from vm_kernel import uncompressed

DEPENDENCIES = """\
kernel/fs/9p/9p.ko: kernel/net/9p/9pnet.ko kernel/fs/netfs/netfs.ko
kernel/net/9p/9pnet.ko:
kernel/fs/netfs/netfs.ko:
kernel/net/9p/9pnet-virtio.ko: kernel/net/9p/9pnet.ko
kernel/net/8021q/8021q.ko:
"""


def test_modules_bring_what_they_need() -> None:
    known = dependencies_of(DEPENDENCIES)
    assert closure(known, ["9pnet_virtio"]) == [
        "kernel/net/9p/9pnet-virtio.ko",
        "kernel/net/9p/9pnet.ko",
    ]
    assert len(closure(known, ["9p", "9pnet_virtio"])) == 4


def test_a_kernel_that_is_compressed_otherwise_is_refused() -> None:
    with pytest.raises(SystemExit, match="no XZ stream"):
        uncompressed(b"MZ" + bytes(64))
