"""Each component may do what its code asks of the API, and nothing else.

What the code asks is read from the code: every call of a client's method in the modules of
a component, and every cache. Where a call's kind is a variable, ``VARIABLES`` says which
kinds it stands for; a call that is not understood fails the test.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest
from deploy_chart import Object, Render

from spiderpool.agent import ipam_subnets
from spiderpool.controller import autopools
from spiderpool.controller.caches import WORKLOADS
from spiderpool.controller.install import clean, defaults
from spiderpool.controller.install import multus as multus_leaves
from spiderpool.controller.install.definitions import definitions
from spiderpool.kube import resources
from spiderpool.kube.resources import Resource

pytestmark = pytest.mark.binary("helm")

SOURCE = Path(resources.__file__).parents[1]
VERBS = {"get", "list", "watch", "create", "update", "patch", "delete"}
WEBHOOKS = (resources.MUTATINGWEBHOOK, resources.VALIDATINGWEBHOOK)
MACHINES = (resources.VIRTUALMACHINE, resources.VIRTUALMACHINEINSTANCE)
VARIABLES: dict[tuple[str, str], tuple[Resource, ...]] = {
    ("agent/ipam_keepers.py", "STATEFULSETS"): (resources.STATEFULSET,),
    ("agent/ipam_subnets.py", "MAY_BE_MADE[owner.kind]"): tuple(ipam_subnets.MAY_BE_MADE.values()),
    ("controller/autopools.py", "RESOURCES[kind]"): tuple(autopools.RESOURCES.values()),
    ("controller/caches.py", "kind"): WORKLOADS,
    ("controller/collector.py", "cache.resource"): MACHINES,
    ("controller/collector.py", "resource"): (),  # what its own _get is called with
    ("controller/lifecycle.py", "resource"): (
        resources.SPIDERCOORDINATOR,
        resources.SPIDERIPPOOL,
        resources.SPIDERSUBNET,
    ),
    ("controller/manager.py", "*resources.SERVICECIDRS"): resources.SERVICECIDRS,
    ("controller/webhook/registration.py", "resource"): WEBHOOKS,
    ("controller/install/clean.py", "resource"): clean.KINDS,
    ("controller/install/defaults.py", "resource"): (
        resources.SPIDERCOORDINATOR,
        resources.SPIDERIPPOOL,
        resources.SPIDERMULTUSCONFIG,
    ),
}
SHARED = ("kube/events.py",)
COMPONENTS: dict[str, tuple[str, ...]] = {
    "spiderpool-agent": (*SHARED, "agent/**/*.py"),
    "spiderpool-controller": (
        *SHARED,
        "kube/leader.py",
        "controller/*.py",
        "controller/admission/*.py",
        "controller/webhook/*.py",
    ),
    "spiderpool-crds": ("controller/install/definitions.py",),
    "spiderpool-init": ("controller/install/defaults.py",),
}
Permission = tuple[str, str, str]
"""API group, resource with subresource, verb."""

NOT_OF_THE_CODE: dict[str, set[Permission]] = {
    "spiderpool-controller": {
        (resources.GROUP, "spidermultusconfigs/finalizers", "update"),
    }
}
"""Asked by an admission plugin of who writes ownerReferences with blockOwnerDeletion."""


def asked(component: str) -> set[Permission]:
    return {
        permission
        for pattern in COMPONENTS[component]
        for path in sorted(SOURCE.glob(pattern))
        for permission in asked_in(path)
    }


def asked_in(path: Path) -> Iterator[Permission]:
    where = str(path.relative_to(SOURCE))
    for node in ast.walk(ast.parse(path.read_text())):
        if not isinstance(node, ast.Call):
            continue
        verbs, kinds = understood(node)
        for argument in kinds:
            for kind in named(argument, where):
                for verb in verbs:
                    yield kind.group, kind.plural + subresource(node), verb


def understood(call: ast.Call) -> tuple[set[str], list[ast.expr]]:
    """The verbs of a call, and the arguments that say of which kinds; none if it is no request."""
    function = call.func
    if isinstance(function, ast.Name) and function.id == "OptionalCache":
        return {"list", "watch"}, call.args[1:]
    if not isinstance(function, ast.Attribute):
        return set(), []
    owner = ast.unparse(function.value)
    if owner == "informers" and function.attr == "of":
        return {"list", "watch"}, call.args[:1]
    if owner == "self" and function.attr == "_get":
        return {"get"}, call.args[:1]
    if owner.endswith("client") and function.attr in VERBS:
        return {function.attr}, call.args[:1]
    return set(), []


def named(argument: ast.expr, where: str) -> tuple[Resource, ...]:
    text = ast.unparse(argument)
    constant = getattr(resources, text.removeprefix("resources."), None)
    if isinstance(constant, Resource):
        return (constant,)
    assert (where, text) in VARIABLES, f"{where}: which kinds is {text!r}? Say so in VARIABLES"
    return VARIABLES[where, text]


def subresource(call: ast.Call) -> str:
    for keyword in call.keywords:
        if keyword.arg == "subresource":
            assert isinstance(keyword.value, ast.Constant)
            assert isinstance(keyword.value.value, str)
            return f"/{keyword.value.value}"
    return ""


def granted(objects: list[Object], account: str) -> set[Permission]:
    """By all roles that are bound to an account."""
    bound = {
        (obj["roleRef"]["kind"], obj["roleRef"]["name"])
        for obj in objects
        if obj["kind"] in ("RoleBinding", "ClusterRoleBinding")
        and account in [subject["name"] for subject in obj["subjects"]]
    }
    return {
        (group, resource, verb)
        for obj in objects
        if (obj["kind"], obj["metadata"]["name"]) in bound
        for rule in obj["rules"]
        for group in rule["apiGroups"]
        for resource in rule["resources"]
        for verb in rule["verbs"]
    }


@pytest.mark.parametrize("component", COMPONENTS)
def test_what_is_granted_is_what_is_asked(render: Render, component: str) -> None:
    extra = NOT_OF_THE_CODE.get(component, set())
    assert granted(render(), component) == asked(component) | extra


def test_the_clean_job_may_delete_what_it_deletes(render: Render) -> None:
    """Its deletions go by one function, so they are listed here."""
    found = {(r.group, r.plural, verb) for r in clean.KINDS for verb in ("list", "patch", "delete")}
    once = (*WEBHOOKS, resources.CRD, resources.SECRET, resources.LEASE, resources.JOB)
    found |= {(r.group, r.plural, "delete") for r in once}
    found |= {("apps", "deployments/scale", "patch"), ("", "pods", "list")}
    multus = set(asked_in(Path(multus_leaves.__file__)))
    assert multus
    assert granted(render(), "spiderpool-clean") == found | multus
    kept: Object = {"multus": {"multusCNI": {"uninstall": False}}}
    assert granted(render(kept), "spiderpool-clean") == found


def test_nobody_may_do_everything(render: Render) -> None:
    for obj in render():
        for rule in obj.get("rules", ()):
            assert "*" not in (*rule["verbs"], *rule["resources"], *rule["apiGroups"])


def test_secrets_are_read_by_name_only(render: Render) -> None:
    for obj in render():
        for rule in obj.get("rules", ()):
            if "secrets" in rule["resources"] and rule["verbs"] != ["create"]:
                assert obj["kind"] == "Role"
                assert rule["resourceNames"] == ["spiderpool-controller-webhook"]


def test_the_names_of_definitions_are_those_of_the_code(render: Render) -> None:
    ours = {one["metadata"]["name"] for one in definitions()}
    for obj in render():
        for rule in obj.get("rules", ()):
            if rule["resources"] == ["customresourcedefinitions"] and "resourceNames" in rule:
                names = set(rule["resourceNames"])
                missing = {"network-attachment-definitions.k8s.cni.cncf.io"}
                assert ours - names == (missing if rule["verbs"] == ["delete"] else set())
                assert not names - ours


def test_the_init_job_knows_the_kinds_of_its_role(render: Render) -> None:
    of_role = {r for g, r, _ in granted(render(), "spiderpool-init") if g == resources.GROUP}
    assert of_role <= {kind.plural for kind in defaults.RESOURCES.values()}
