"""What all tests share: a namespace of one's own, and skips that say what is missing."""

from __future__ import annotations

import logging
import shutil
from collections.abc import Iterator

import pytest
from hypothesis import settings

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


@pytest.fixture
def logging_restored() -> Iterator[None]:
    """Whatever the test does to the root logger ends with it."""
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
