"""What a node has beside its network: file systems of its own, and a name."""

from __future__ import annotations

import shutil
import socket
from collections.abc import Mapping
from pathlib import Path

from realcluster_cgroups import Groups

from harness.netns import syscalls
from harness.netns.sandbox import RUN
from spiderpool.netlink.namespace import Namespace

PLUGINS = Path("/opt/cni/bin")
CNI_CONFIG = Path("/etc/cni/net.d")
NAMESPACES = Path("/run/netns")
LAID_OVER = ("/etc", "/opt")
STATE = tuple(Path("/var/lib") / name for name in ("containerd", "kubelet", "cni", "spidernet"))
MACHINE_WIDE = ("/proc/sys/kernel", "/proc/sys/vm", "/proc/sys/fs")
SET_BY_KUBELET = (
    "vm/overcommit_memory",
    "vm/panic_on_oom",
    "kernel/panic",
    "kernel/panic_on_oops",
    "kernel/keys/root_maxkeys",
    "kernel/keys/root_maxbytes",
)
_MS_RDONLY, _MS_REMOUNT = 0x1, 0x20


def furnish(node: Namespace, name: str, groups: Groups) -> None:
    """Make the node's file systems; call it in a sandbox, whose mounts are its own.

    Writes go to memory: to a layer over ``/etc`` and ``/opt``, and to fresh state folders.
    Settings of the kernel that have no namespace can be read only; those that the kubelet
    insists to write are files here that nobody heeds.

    Raises:
        OSError: the kernel refuses a mount.
    """
    socket.sethostname(name)
    for folder in LAID_OVER:
        _lay_over(folder)
    for state in STATE:
        state.unlink() if state.is_symlink() else shutil.rmtree(state, ignore_errors=True)
        state.mkdir()
    syscalls.mount("tmpfs", "/var/log", "tmpfs", 0, "mode=0755")
    _guard_kernel_settings()
    with node.entered():  # whose links /sys/class/net shows
        syscalls.mount("sysfs", "/sys", "sysfs")
    groups.mount()


def _guard_kernel_settings() -> None:
    for folder in MACHINE_WIDE:
        syscalls.mount(folder, folder, flags=syscalls.MS_BIND)
        syscalls.mount("", folder, flags=syscalls.MS_BIND | _MS_REMOUNT | _MS_RDONLY)
    for name in SET_BY_KUBELET:
        real, ours = Path("/proc/sys") / name, RUN / "sysctls" / name
        ours.parent.mkdir(parents=True, exist_ok=True)
        ours.write_text(real.read_text())
        syscalls.mount(str(ours), str(real), flags=syscalls.MS_BIND)


def _lay_over(folder: str) -> None:
    upper, work = (RUN / "layers" / folder[1:] / name for name in ("upper", "work"))
    upper.mkdir(parents=True)
    work.mkdir()
    options = f"lowerdir={folder},upperdir={upper},workdir={work}"
    syscalls.mount("overlay", folder, "overlay", 0, options)


def show_namespace(name: str, namespace: Namespace) -> Path:
    """Give it a path, which only the sandbox has."""
    path = NAMESPACES / name
    path.parent.mkdir(exist_ok=True)
    path.touch()
    syscalls.mount(f"/proc/self/fd/{namespace.fd}", str(path), flags=syscalls.MS_BIND)
    return path


def install_plugins(plugins: Mapping[str, Path]) -> None:
    """The machine's CNI plugins, where a runtime looks for them."""
    PLUGINS.mkdir(parents=True, exist_ok=True)
    for name, path in plugins.items():
        if path.parent != PLUGINS:
            shutil.copy(path, PLUGINS / name)
