"""The same plans on the model and on the kernel."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from kernel_roles import serving

from spiderpool.netlink.kernel import Kernel
from spiderpool.netlink.objects import NetState
from spiderpool.netlink.operations import Operation, SetSysctl
from spiderpool.netlink.transport import Transport
from spiderpool.testing.namespaces import new_namespace
from spiderpool.testing.netlink import FakeKernel

REAL = [pytest.param(name, marks=pytest.mark.kernel) for name in ("kernel", "role")]


@pytest.fixture(params=["fake", *REAL])
def transport(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Transport]:
    """A fresh namespace, pretended or real, the latter also behind the kernel role's socket."""
    if request.param == "fake":
        yield FakeKernel()
        return
    with new_namespace() as namespace:
        if request.param == "kernel":
            with Kernel(namespace) as kernel:
                yield kernel
        else:
            with serving(tmp_path) as role, role.open(namespace) as inside:
                yield inside


@pytest.fixture
def agree() -> Callable[[Sequence[Operation]], list[int]]:
    """Run a plan on both, demand equal errnos and equal states, and return the errnos."""

    def compare(plan: Sequence[Operation]) -> list[int]:
        fake = FakeKernel()
        with new_namespace() as namespace, Kernel(namespace) as kernel:
            kernel.execute([SetSysctl("ipv6/conf/default/accept_dad", "0")])
            refusals = outcome(kernel, plan)
            state = kernel.dump()
        assert outcome(fake, plan) == refusals
        assert comparable(fake.state) == comparable(replace(state, sysctls=fake.state.sysctls))
        return refusals

    return compare


def outcome(transport: Transport, plan: Sequence[Operation]) -> list[int]:
    """The errno of each operation, all of them tried, each as a plan of its own."""
    return [transport.execute((operation,))[0][0] for operation in plan]


def comparable(state: NetState) -> NetState:
    """Without what the model leaves out, and in an order of its own."""
    return replace(
        state,
        addresses=tuple(
            sorted(
                (one for one in state.addresses if not one.address.startswith("fe80:")),
                key=lambda one: (one.link, one.address),
            )
        ),
        routes=tuple(
            sorted(
                (one for one in state.routes if one.destination != "fe80::/64"),
                key=lambda one: (one.family, one.table, one.destination, one.metric, str(one.link)),
            )
        ),
        links=tuple(sorted(state.links, key=lambda one: one.index)),
        neighbours=tuple(
            sorted(state.neighbours, key=lambda one: (one.proxy, one.address, one.link))
        ),
    )
