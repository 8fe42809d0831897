"""Why our coordinator leads to another state than upstream's: rules about what differs.

Each has an id that docs/differences.md explains. A rule looks at one statement that only
one side makes, and at both states; it never knows which case it is in.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace

from harness.golden.context import Context, Side
from harness.golden.meaning import MAIN_VIEW, Kind, Statement
from spiderpool.coordinator.nics import NODE_VETH, priority_of, table_of
from spiderpool.coordinator.pod import REPLY_PRIORITY
from spiderpool.netlink.objects import Route
from spiderpool.types.address import contains, host_prefix, network_of

Rule = Callable[[Side, Statement, Context], bool]


def explanation(side: Side, statement: Statement, context: Context) -> str:
    """The id of the first rule that holds; empty when none does."""
    for identity, rule in RULES.items():
        if rule(side, statement, context):
            return identity
    return ""


def _other(side: Side) -> Side:
    return Side.OURS if side is Side.THEIRS else Side.THEIRS


def _del_leaves_nothing(side: Side, statement: Statement, context: Context) -> bool:
    """After a DEL: theirs leaves what it made, ours is in all as it was before the ADD."""
    if context.restored is None or context.ours != context.restored:
        return False
    return (statement in context.restored) is (side is Side.OURS)


def _veth_stays_for_others(side: Side, statement: Statement, context: Context) -> bool:
    """Theirs takes the veth away with any NIC; ours keeps it until the first NIC goes."""
    if side is Side.THEIRS or context.restored is None or context.nic == context.config.first_nic:
        return False
    was = any(s.link == NODE_VETH for s in context.previously)
    gone = was and not any(s.link == NODE_VETH for s in context.theirs)
    return gone and statement in context.previously & context.restored


def _fixed_numbers(side: Side, statement: Statement, context: Context) -> bool:
    if statement.kind is not Kind.NUMBER or statement.view not in context.views(_other(side)):
        return False
    return side is Side.THEIRS or _is_our_number(statement, context)


def _is_our_number(statement: Statement, context: Context) -> bool:
    first, nic = context.config.first_nic, context.nic_of(statement.view)
    if statement.view.startswith("mark 0x1"):
        return statement.text == f"priority {REPLY_PRIORITY} table {table_of(NODE_VETH, first)}"
    if nic is None:
        return False
    return statement.text == f"priority {priority_of(nic, first)} table {table_of(nic, first)}"


def _every_nic_has_a_rule(side: Side, statement: Statement, context: Context) -> bool:
    """Ours leads every address of a NIC to a table, theirs does not."""
    if side is not Side.OURS or statement.place != "pod" or not statement.view.startswith("from "):
        return False
    if statement.view in context.views(Side.THEIRS):
        return False
    if statement.route is None:
        return _is_our_number(statement, context)
    belongs = context.belongs_to_table(statement.view, statement.route)
    return belongs and context.is_complete(statement.view)


def _no_orphan_tables(side: Side, statement: Statement, context: Context) -> bool:
    return side is Side.THEIRS and statement.view.startswith("nobody")


def _kernel_picks_source(side: Side, statement: Statement, context: Context) -> bool:
    """The same route by eth0, in theirs with eth0's address as source."""
    route = statement.route
    if route is None or route.link != context.config.first_nic or context.passage == NODE_VETH:
        return False
    theirs = route.source is not None
    if theirs is not (side is Side.THEIRS):
        return False
    return any(
        other.view == statement.view and _sourceless(other.route) == _sourceless(route)
        for other in context.of(_other(side))
        if other.place == statement.place
    )


def _sourceless(route: Route | None) -> Route | None:
    return replace(route, source=None) if route is not None else None


def _own_table_per_nic(side: Side, statement: Statement, context: Context) -> bool:
    """Theirs leads an address to a table that has another NIC's routes as well."""
    if side is not Side.THEIRS or statement.route is None or not statement.view.startswith("from "):
        return False
    owner = context.nic_of(statement.view)
    return statement.link not in (owner, context.passage)


def _complete_tables(side: Side, statement: Statement, context: Context) -> bool:
    """Ours has the cluster, the node and what the NIC is connected to in every table."""
    if side is not Side.OURS or statement.route is None or statement.place != "pod":
        return False
    if not statement.view.startswith(("from ", "mark ")):
        return False
    belongs = context.belongs_to_table(statement.view, statement.route)
    return belongs and context.is_complete(statement.view)


def _primary_gateway(side: Side, statement: Statement, context: Context) -> bool:
    """The cluster's routes by another of the node's addresses."""
    route = statement.route
    if route is None or route.gateway not in context.node_addresses:
        return False
    if side is Side.OURS and route.gateway != context.primary(route.family):
        return False
    return any(
        other.route is not None
        and other.view == statement.view
        and (other.route.destination, other.route.link) == (route.destination, route.link)
        and other.route.gateway in context.node_addresses
        for other in context.of(_other(side))
    )


def _node_address_in_cluster(side: Side, statement: Statement, context: Context) -> bool:
    """A route or entry for a node address that lies in the cluster's own networks."""
    inside = {
        address
        for address in context.node_addresses
        if any(contains(prefix, address) for prefix in context.config.cluster_cidrs)
    }
    if side is not Side.THEIRS or statement.place != "pod":
        return False
    if statement.kind is Kind.NEIGHBOUR:
        return statement.text.split()[0] in inside
    route = statement.route
    return route is not None and route.destination in {host_prefix(a) for a in inside}


def _main_knows_the_cluster(side: Side, statement: Statement, context: Context) -> bool:
    """Theirs writes main at what it takes for the first attachment only."""
    if side is not Side.OURS or statement.place != "pod" or statement.link != context.passage:
        return False
    if statement.kind is Kind.NEIGHBOUR:
        return statement.text.split()[0] in context.node_addresses
    route = statement.route
    if route is None or statement.view != MAIN_VIEW or not context.leads_to_cluster(route):
        return False
    return not any(
        s.view == MAIN_VIEW and s.route is not None and s.route.destination == route.destination
        for s in context.theirs
    )


def _one_default_in_main(side: Side, statement: Statement, context: Context) -> bool:
    """Theirs leaves the default of a NIC that has no coordinator beside another one."""
    route = statement.route
    if side is not Side.THEIRS or route is None or not route.is_default:
        return False
    if statement.view != MAIN_VIEW or statement.link in context.attached:
        return False
    others = [
        s.route
        for s in context.ours
        if s.view == MAIN_VIEW and s.route is not None and s.route.is_default
    ]
    return any(other.family is route.family for other in others)


def _connected_network_stays(side: Side, statement: Statement, context: Context) -> bool:
    """Theirs sends by the node what the NIC is connected to."""
    route = statement.route
    if side is not Side.THEIRS or route is None or statement.link != context.passage:
        return False
    if route.gateway not in context.node_addresses:
        return False
    networks = {network_of(entry.address) for entry in context.before.pod.addresses}
    return route.destination in networks


def _policy_routes_take_effect(side: Side, statement: Statement, context: Context) -> bool:
    """Without rules, theirs has them in a table that nobody reads, ours in main."""
    route = statement.route
    if side is not Side.OURS or route is None or context.config.tune_pod_routes:
        return False
    policies = {(p.destination, p.gateway) for p in context.config.policy_routes}
    here = (statement.place, statement.view, statement.link) == ("pod", MAIN_VIEW, context.nic)
    return here and (route.destination, route.gateway) in policies


def _txqueuelen_in_pod(side: Side, statement: Statement, context: Context) -> bool:
    """Theirs changes the node's link of the NIC's name, ours the pod's."""
    if statement.kind is not Kind.LINK or statement.link != context.nic:
        return False
    wanted = f"txqueuelen {context.config.tx_queue_len} "
    if wanted not in statement.text and not any(
        _but_for_length(other) == _but_for_length(statement) and wanted in other.text
        for other in context.of(_other(side))
    ):
        return False
    changed = Side.OURS if statement.place == "pod" else Side.THEIRS
    return (wanted in statement.text) is (side is changed)


def _but_for_length(statement: Statement) -> tuple[str, str]:
    return statement.place, re.sub(r"txqueuelen \d+", "", f"{statement.link} {statement.text}")


RULES: dict[str, Rule] = {
    "policy-routes-take-effect": _policy_routes_take_effect,
    "txqueuelen-in-pod": _txqueuelen_in_pod,
    "veth-stays-for-others": _veth_stays_for_others,
    "del-leaves-nothing": _del_leaves_nothing,
    "fixed-numbers": _fixed_numbers,
    "every-nic-has-a-rule": _every_nic_has_a_rule,
    "no-orphan-tables": _no_orphan_tables,
    "kernel-picks-source": _kernel_picks_source,
    "own-table-per-nic": _own_table_per_nic,
    "complete-tables": _complete_tables,
    "primary-gateway": _primary_gateway,
    "node-address-in-cluster": _node_address_in_cluster,
    "main-knows-the-cluster": _main_knows_the_cluster,
    "one-default-in-main": _one_default_in_main,
    "connected-network-stays": _connected_network_stays,
}
