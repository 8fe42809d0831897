"""Plugins and configurations that the container runtime finds."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from spiderpool.cni.install import PLUGINS
from spiderpool.cni.versions import SUPPORTED
from spiderpool.ctl.finding import Finding, ok, problem, warning
from spiderpool.ctl.node.facts import Cni, Executable, NodeFacts

BIN, CONF = "/opt/cni/bin", "/etc/cni/net.d"
RESTART = "delete the agent's pod of this node: its init container installs the plugins"
MULTUS = ("multus", "multus-shim")


def check(facts: NodeFacts) -> Iterator[Finding]:
    """Executables first."""
    yield from _plugins(facts.cni)
    yield from _order(facts.cni)
    for path, exists in facts.cni.kubeconfigs.items():
        if not exists:
            text = f"does not exist, and a configuration in {CONF} names it"
            yield problem(path, text, "restart Multus' pod on this node: it writes it")


def _plugins(cni: Cni) -> Iterator[Finding]:
    for name in PLUGINS:
        where = f"{BIN}/{name}"
        found = cni.ours.get(name)
        if found is None:
            yield problem(where, "is missing", RESTART)
        else:
            yield from _executable(where, found)
    if "macvlan" not in cni.names:
        text = "is missing: pods of networks of type macvlan do not start"
        yield problem(f"{BIN}/macvlan", text, "install the chart with plugins.installCNI=true")


def _executable(where: str, found: Executable) -> Iterator[Finding]:
    if not found.executable:
        yield problem(where, "cannot be executed", RESTART)
    elif found.complaint:
        yield problem(where, f"does not answer VERSION: {found.complaint}", RESTART)
    elif set(found.versions) != set(SUPPORTED):
        text = f"speaks CNI {', '.join(found.versions) or 'nothing'}, this release {_versions()}"
        yield warning(where, text, RESTART)
    elif not found.static:
        text = "is not static: it needs libraries or an interpreter of the node"
        yield warning(where, text, RESTART)
    else:
        yield ok(where, f"static, CNI {_versions()}")


def _versions() -> str:
    return ", ".join(SUPPORTED)


def _order(cni: Cni) -> Iterator[Finding]:
    """The runtime takes the first file by name; only Multus gives further NICs."""
    if not cni.configurations:
        text = "holds no configuration: no pod starts"
        yield problem(CONF, text, "see that the default network's and Multus' pods run here")
    first = True
    for path, text in cni.configurations.items():
        try:
            types = _types(json.loads(text))
        except (ValueError, TypeError, AttributeError) as error:
            level = problem if first else warning
            yield level(path, f"is no CNI configuration: {error}", "mend or delete it")
            first = False
            continue
        is_multus = any(kind in MULTUS for kind in types)
        if first and is_multus:
            yield ok(path, "comes first, and is Multus'")
        elif first:
            words = f"comes first, and is not Multus' (plugins {', '.join(types) or 'none'})"
            remedy = "see that Multus' pod runs here; its file must sort before all others"
            yield problem(path, f"{words}: pods get no further NICs", remedy)
        elif is_multus:
            yield warning(path, "is a second one of Multus", "delete the one that is left over")
        first = False


def _types(config: Any) -> list[str]:
    plugins = config.get("plugins") or [config]
    return [str(plugin.get("type", "")) for plugin in plugins]
