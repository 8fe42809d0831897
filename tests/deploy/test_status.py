"""What ``spiderpoolctl status`` and ``sysdump`` look for is what the chart makes."""

from __future__ import annotations

from typing import Any

import pytest
from deploy_chart import Render

from spiderpool.ctl.dump.collect import is_component
from spiderpool.ctl.installation.facts import LABELS, Facts, port_of
from spiderpool.kube.resources import DAEMONSET, DEPLOYMENT

pytestmark = pytest.mark.binary("helm")

METRICS = {"prometheus": {"enabled": True}}


def test_the_components_are_found(render: Render) -> None:
    objects = render({"spiderpoolAgent": METRICS})
    by_kind = {
        kind: [obj for obj in objects if obj["kind"] == kind.kind]
        for kind in (DAEMONSET, DEPLOYMENT)
    }
    facts = Facts(now=0.0, objects=by_kind)
    (agent,) = facts.component(DAEMONSET, "agent")
    (controller,) = facts.component(DEPLOYMENT, "controller")
    name, _, value = LABELS.partition("=")
    for workload in (agent, controller):
        template: Any = workload["spec"]["template"]
        assert workload["metadata"]["labels"][name] == value
        assert is_component(template)
    assert port_of(agent["spec"]["template"], "metrics") == 5711
    for workload, number in ((agent, 5710), (controller, 5720)):
        assert port_of(workload["spec"]["template"], "health") == number
