"""The node's agent: does it answer, and can it keep what it must not forget?"""

from __future__ import annotations

from collections.abc import Iterator

from spiderpool.ctl.finding import Finding, ok, problem, warning
from spiderpool.ctl.node.facts import NodeFacts

LOG = "see the log of the agent's pod of this node"


def check(facts: NodeFacts) -> Iterator[Finding]:
    """STATUS of each plugin, folders, and DELs that wait."""
    agent = facts.agent
    where = f"agent at {agent.socket}"
    if agent.silence:
        yield problem(where, agent.silence, "see that the agent's pod of this node runs")
    for plugin, complaint in agent.answers.items():
        if complaint:
            yield problem(f"{where}, {plugin}", f"would serve no ADD: {complaint}", LOG)
        else:
            yield ok(f"{where}, {plugin}", "serves")
    for folder in agent.folders:
        if folder.problem:
            yield problem(folder.path, folder.problem, "the agent must be able to write into it")
        else:
            yield ok(folder.path, "can be written into")
    if agent.waiting:
        yield warning("DELs", f"{agent.waiting} wait for the agent or the API server", LOG)
    if agent.refused:
        text = f"{agent.refused} could never be carried out (*.refused)"
        yield warning("DELs", text, "look at them, then delete them")
