"""What mountinfo says about control groups, on machines of each kind."""

from pathlib import Path

import pytest
from realcluster_cgroups import Groups, Hierarchy, NoControllers, check_controllers, hierarchies

VERSION_1 = """\
36 35 0:30 / /sys/fs/cgroup/cpu,cpuacct rw,nosuid shared:9 - cgroup cgroup rw,cpu,cpuacct
37 35 0:31 / /sys/fs/cgroup/systemd rw - cgroup systemd rw,xattr,release_agent=/x,name=systemd
38 35 0:32 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw
22 1 254:0 / / rw,relatime - ext4 /dev/vda rw,discard
"""
VERSION_2 = "24 23 0:22 / /sys/fs/cgroup rw,nosuid - cgroup2 cgroup2 rw,nsdelegate\n"


def test_version_1_goes_before_the_unified_one() -> None:
    assert hierarchies(VERSION_1) == (
        Hierarchy(Path("/sys/fs/cgroup/cpu,cpuacct"), "cgroup", "cpu,cpuacct"),
        Hierarchy(Path("/sys/fs/cgroup/systemd"), "cgroup", "name=systemd"),
    )


def test_version_2_alone() -> None:
    (one,) = hierarchies(VERSION_2)
    assert one.unified
    assert (one.place, one.options) == (Path("/sys/fs/cgroup"), "")


def test_a_hierarchy_that_is_mounted_twice_counts_once() -> None:
    assert len(hierarchies(VERSION_1 + VERSION_1)) == 2


@pytest.mark.parametrize("shown", [VERSION_1, VERSION_2])
def test_every_hierarchy_gets_one_folder(shown: str) -> None:
    found = hierarchies(shown)
    folders = Groups("realcluster-7", found).folders
    assert folders == tuple(each.place / "realcluster-7" for each in found)


def test_missing_controllers_are_named_with_the_remedy(tmp_path: Path) -> None:
    folder = tmp_path / "realcluster-7"
    folder.mkdir()
    (folder / "cgroup.controllers").write_text("cpuset cpu io\n")
    with pytest.raises(NoControllers, match=r"echo \+memory \+pids > .*/cgroup.subtree_control"):
        check_controllers(folder)
    (folder / "cgroup.controllers").write_text("cpuset cpu io memory pids\n")
    check_controllers(folder)


def test_folders_are_removed_from_the_inside_out(tmp_path: Path) -> None:
    (tmp_path / "realcluster-7" / "k8s.io" / "a").mkdir(parents=True)
    (tmp_path / "other").mkdir()
    Groups("realcluster-7", (Hierarchy(tmp_path, "cgroup", "cpu"),)).remove()
    assert [path.name for path in tmp_path.iterdir()] == ["other"]
