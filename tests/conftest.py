"""What all tests share: a namespace of one's own, and skips that say what is missing."""

from __future__ import annotations

import functools
import logging
import shutil
from collections.abc import Iterator

import pytest
from hypothesis import settings

from harness.netns import isolated
from harness.netns.capabilities import link_kinds
from harness.nodes.plugins import machine_plugins
from spiderpool.netlink.namespace import Namespace
from spiderpool.testing.namespaces import new_namespace

settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")
"""Examples take as long as the machine takes: nothing here is timed."""


@pytest.fixture
def netns() -> Iterator[Namespace]:
    """A fresh network namespace; the test's own thread stays outside."""
    with new_namespace() as namespace:
        yield namespace


@pytest.fixture(autouse=True)
def logging_restored() -> Iterator[None]:
    """Whatever a test does to the root logger ends with it.

    A handler that stayed would write to its descriptor's number, which is soon a later test's
    socket.
    """
    root = logging.getLogger()
    level, handlers = root.level, root.handlers[:]
    yield
    root.setLevel(level)
    root.handlers[:] = handlers


def pytest_runtest_setup(item: pytest.Item) -> None:
    for marker in item.iter_markers("binary"):
        (name,) = marker.args
        if shutil.which(name) is None and name not in machine_plugins():
            pytest.skip(f"needs the executable {name!r}; ci/test installs it")
    for marker in item.iter_markers("link"):
        (kind,) = marker.args
        if kind not in _kinds():
            pytest.skip(f"the kernel has no {kind}: `harness doctor` says how to get it")


@functools.cache
def _kinds() -> frozenset[str]:
    return frozenset(isolated.call(link_kinds))
