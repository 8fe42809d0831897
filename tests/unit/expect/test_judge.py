"""Every kind of expectation has its verdict, with the scenario's id, file and line."""

from __future__ import annotations

from typing import Any

import pytest

from harness.expect.judge import Observed, judge
from harness.expect.names import Names, NicFacts, PodFacts
from harness.scenario.document import Where
from harness.scenario.expectations import (
    Checked,
    Expectation,
    Invariants,
    NetworkHas,
    NicsHave,
    ObjectHas,
    Table,
    TableHas,
)
from harness.scenario.reference import Place, Reference
from spiderpool.netlink.objects import NetState, Rule
from spiderpool.types.address import InterfaceAddress
from spiderpool.types.names import MAIN

NET1 = NicFacts((InterfaceAddress("10.6.212.145/16"),), "")
NAMES = Names({"web": PodFacts("p", "nginx-x", "n")}, {}, {"p": {"net1": NET1}})
AT = ("it", Where("s.yaml", 3), "web")
POD = ObjectHas(*AT, "pod/{it}", "default", {"ip": "{it.net1}"}, 1.0)
SE = TableHas(*AT, ("se",), (), ({"NAME": "{it}"},), None, 1.0)
RULES = NetworkHas(*AT, Place("web"), Table.RULES, 0, 4, ("1: from all lookup main",), (), False)
WELL = Checked(*AT, Reference(Place("web"), "net1"), ())
AMISS = Checked(*AT, Reference(Place("web"), "net1"), ("is missing: {it.net1}",))
NICS = NicsHave(*AT, Place("web"), {"net1": {"up": True}})


@pytest.mark.parametrize(
    ("expectation", "observed", "sentence"),
    [
        (POD, {"ip": "10.6.212.145"}, "it: pod/nginx-x is as expected"),
        (SE, "NAME\nnginx-x\n", "it: `kubectl get se` prints 1 expected rows"),
        (RULES, NetState(rules=(Rule(1, MAIN),)), "it: web holds 1 expected lines"),
        (WELL, "", "it: CHECK of web.net1 is content"),
        (AMISS, "a is missing: 10.6.212.145", "it: CHECK of web.net1 says is missing: {it.net1}"),
    ],
)
def test_what_was_shown(expectation: Expectation, observed: Observed, sentence: str) -> None:
    verdict = judge(expectation, observed, NAMES)
    assert (verdict.ok, verdict.sentence) == (True, sentence)


@pytest.mark.parametrize(
    ("expectation", "observed", "sentence"),
    [
        (POD, None, "pod/nginx-x: it does not exist"),
        (POD, {"ip": "1"}, 'pod/nginx-x: ip is "1", not "10.6.212.145"'),
        (SE, "", "`kubectl get se`: no row has NAME 'nginx-x', there are no rows"),
        (WELL, "a rule is missing", "CHECK fails: a rule is missing"),
        (AMISS, "", "CHECK finds nothing amiss, and should"),
        (AMISS, "a is missing: x", "CHECK does not say 'is missing: 10.6.212.145'"),
        (RULES, NetState(), "`ip rule` of web lacks `1: from all lookup main`"),
        (NICS, NetState(), "web has no NIC net1; it has none"),
    ],
)
def test_what_is_wrong(expectation: Expectation, observed: Observed, sentence: str) -> None:
    verdict = judge(expectation, observed, NAMES)
    assert (verdict.ok, verdict.where) == (False, "s.yaml:3")
    assert verdict.sentence == f"it (s.yaml:3): {sentence}"


def test_a_name_that_stands_for_nothing_fails() -> None:
    has: Any = {"ip": "{web.net9}"}
    verdict = judge(ObjectHas(*AT, "pod/x", "default", has, 1.0), {"ip": "1"}, NAMES)
    assert verdict.sentence == "it (s.yaml:3): web has no NIC net9; it has net1"


def test_rules_of_addresses_that_are_broken_are_listed() -> None:
    rules = Invariants(*AT, 1.0)
    assert judge(rules, "", NAMES).ok
    verdict = judge(rules, "10.6.0.1: no owner\n10.6.0.2: no pool", NAMES)
    assert not verdict.ok
    assert "2 rules of IPAM are broken" in verdict.sentence
    assert verdict.seen == ("10.6.0.1: no owner", "10.6.0.2: no pool")
