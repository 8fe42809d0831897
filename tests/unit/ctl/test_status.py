"""``spiderpoolctl status``: silent about what is well, one line for each thing that is not."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from installation import SYSTEM, Webhook, component_pod, daemonset, install, labels
from told_status import only, told

from spiderpool.agent.metrics import condition
from spiderpool.errors import KubeError, NotFound, Unreachable
from spiderpool.kube.resources import (
    CRD,
    DAEMONSET,
    DEPLOYMENT,
    JOB,
    LEASE,
    MUTATINGWEBHOOK,
    NODE,
    POD,
    SECRET,
    SPIDERIPPOOL,
    VALIDATINGWEBHOOK,
)
from spiderpool.metrics.text import exposition

HOOK = "spiderpool-controller"
LEASES = "spiderpool-controller-leases"


def test_a_healthy_installation(shell: Any) -> None:
    answer = told(shell)
    assert answer["findings"] == []
    assert answer["kubernetes"] == "v1.35.0"
    assert answer["leader"] == "controller-0"
    assert {row["STATE"] for row in answer["definitions"]} == {"ok"}
    assert len(answer["definitions"]) == 8
    assert answer["components"] == [
        {"COMPONENT": c, "NAMESPACE": SYSTEM, "READY": n, "WANTED": n, "VERSION": "0.1.0"}
        for c, n in (("controller", 1), ("agent", 2))
    ]
    assert [(row["NODE"], row["AGENT"], row["READY"]) for row in answer["agents"]] == [
        ("worker01", "agent-0", True),
        ("worker02", "agent-1", True),
    ]
    assert [(hook["AT"], hook["REACHED"]) for hook in answer["webhook"]] == [
        (f"{SYSTEM}/{HOOK}:5722", True)
    ] * 2
    assert answer["coordinators"][0]["POD-CIDRS"] == "10.233.64.0/18"
    assert answer["networks"][0]["STATE"] == "ok"
    assert (answer["pools"][0]["POOLS"], answer["pools"][0]["FREE"]) == (1, 9)


def test_people_see_tables_and_a_count(shell: Any) -> None:
    shell.prepare(install)
    status, out, _ = shell.ctl("status")
    lines = out.splitlines()
    assert status == 0
    assert lines[0].startswith("Kubernetes v1.35.0, spiderpoolctl 0.1.0, leader: controller-0")
    assert any(line.split() == ["COMPONENT", "NAMESPACE", "READY", "WANTED", "VERSION"]
               for line in lines)  # fmt: skip
    assert lines[-1] == "0 problems, 0 warnings"


def test_a_problem_is_one_line_that_says_how_to_mend_it(shell: Any) -> None:
    async def story(world: Any) -> None:
        await install(world)
        await world.api.delete(DEPLOYMENT, HOOK, SYSTEM)

    shell.prepare(story)
    status, out, _ = shell.ctl("status")
    assert status == 1
    assert out.splitlines()[-2:] == [
        "problem  controller: there is no Deployment of it;"
        " install the chart: helm upgrade --install",
        "1 problem, 0 warnings",
    ]


def test_before_anything_is_installed(shell: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    real = shell.world.api.list

    async def list_(kind: Any, *args: Any, **kwargs: Any) -> Any:
        if kind.group in ("spiderpool.spidernet.io", "k8s.cni.cncf.io"):
            raise NotFound(404, "NotFound", "the server could not find the requested resource")
        return await real(kind, *args, **kwargs)

    monkeypatch.setattr(shell.world.api, "list", list_)
    status, out, _ = shell.ctl("status")
    assert status == 1
    assert out.count("is not installed") == 8 + 8, "in the table and below it"
    assert "controller: there is no Deployment of it; install the chart" in out
    assert "cannot be read" not in out


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        ({"conditions": []}, "is not established: no reason is given"),
        (
            {"conditions": [{"type": "NamesAccepted", "message": "taken"}]},
            "is not established: taken",
        ),
    ],
)
def test_a_definition_that_is_not_served(shell: Any, spec: Any, words: str) -> None:
    name = "spiderippools.spiderpool.spidernet.io"
    answer = told(shell, lambda world: world.api.patch(CRD, name, {"status": spec}))
    assert only(answer).startswith(f"CustomResourceDefinition {name}: {words}; helm upgrade")


def test_a_definition_of_another_version(shell: Any) -> None:
    name = "spidersubnets.spiderpool.spidernet.io"

    async def older(world: Any) -> None:
        obj = await world.api.get(CRD, name)
        del obj["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"]
        await world.api.update(CRD, obj)

    assert "is of another version" in only(told(shell, older), "warning")


def test_a_version_that_is_not_served(shell: Any) -> None:
    name = "spidersubnets.spiderpool.spidernet.io"

    async def older(world: Any) -> None:
        obj = await world.api.get(CRD, name)
        obj["spec"]["versions"][0]["name"] = "v2beta0"
        await world.api.update(CRD, obj)

    assert "version v2beta1 is not served" in only(told(shell, older))


def test_an_agent_that_is_not_ready_says_why(shell: Any) -> None:
    waiting = {"waiting": {"reason": "ImagePullBackOff", "message": "no such image"}}

    async def broken(world: Any) -> None:
        status = {
            "conditions": [{"type": "Ready", "status": "False"}],
            "containerStatuses": [{"state": waiting, "restartCount": 3}],
        }
        await world.api.patch(POD, "agent-1", {"status": status}, SYSTEM, subresource="status")
        counts = {"status": {"numberReady": 1}}
        await world.api.patch(DAEMONSET, "spiderpool-agent", counts, SYSTEM, subresource="status")

    answer = told(shell, broken)
    assert [f"{f['where']}: {f['text']}" for f in answer["findings"]] == [
        f"agent in {SYSTEM}: 1 of 2 are ready",
        "Pod agent-1: is not ready on node worker02: ImagePullBackOff no such image",
    ]
    assert answer["agents"][1]["RESTARTS"] == 3
    assert answer["agents"][1]["READY"] is False


def test_a_node_without_an_agent(shell: Any) -> None:
    async def broken(world: Any) -> None:
        await world.node("worker03", "10.6.0.253", **{"kubernetes.io/os": "linux"})
        await world.node("windows", "10.6.0.254", **{"kubernetes.io/os": "windows"})

    answer = told(shell, broken)
    assert only(answer).startswith("Node worker03: has no agent; ")
    assert "windows" not in [row["NODE"] for row in answer["agents"]]


def test_an_agent_of_another_image(shell: Any) -> None:
    async def broken(world: Any) -> None:
        other = {"spec": {"containers": [{"name": "agent", "image": "old:1"}]}}
        await world.api.patch(POD, "agent-0", other, SYSTEM)

    assert "Pod agent-0: runs old:1 on node worker01 and not registry" in only(
        told(shell, broken), "warning"
    )


def test_dels_that_wait_are_counted(shell: Any) -> None:
    waiting = [Path(f"{number}-1.intent") for number in range(4)]
    page = exposition(condition([], waiting)).encode()

    async def broken(world: Any) -> None:
        proxy = f"/api/v1/namespaces/{SYSTEM}/pods/agent-1%3A5711/proxy/metrics"
        world.api.pages[proxy] = page

    answer = told(shell, broken)
    assert "Node worker02: 4 DELs wait to be done" in only(answer, "warning")
    assert [row["WAITING-DELS"] for row in answer["agents"]] == [None, 4]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"spec": {"holderIdentity": ""}}, "no controller leads"),
        (
            {"spec": {"renewTime": (datetime.now(UTC) - timedelta(hours=1)).isoformat()}},
            "controller-0 has not renewed it for ",
        ),
    ],
)
def test_nobody_leads(shell: Any, change: Any, words: str) -> None:
    answer = told(shell, lambda world: world.api.patch(LEASE, LEASES, change, SYSTEM))
    assert f"Lease {SYSTEM}/{LEASES}: {words}" in only(answer)


def test_nobody_ever_led(shell: Any) -> None:
    answer = told(shell, lambda world: world.api.delete(LEASE, LEASES, SYSTEM))
    assert "no controller ever led" in only(answer)


def test_a_controller_whose_deployment_is_gone(shell: Any) -> None:
    answer = told(shell, lambda world: world.api.delete(DEPLOYMENT, HOOK, SYSTEM))
    assert "controller: there is no Deployment of it" in only(answer)


def test_a_controller_that_is_scaled_to_nothing(shell: Any) -> None:
    async def broken(world: Any) -> None:
        await world.api.patch(DEPLOYMENT, HOOK, {"spec": {"replicas": 0}}, SYSTEM)

    assert f"controller in {SYSTEM}: none is wanted" in only(told(shell, broken))


def test_a_webhook_that_is_not_registered(shell: Any) -> None:
    answer = told(shell, lambda world: world.api.delete(VALIDATINGWEBHOOK, HOOK))
    assert f"ValidatingWebhookConfiguration {HOOK}: does not exist" in only(answer)


def test_a_webhook_that_the_api_server_does_not_reach(shell: Any) -> None:
    async def broken(world: Any) -> None:
        world.api.refuse = None

    answer = told(shell, broken)
    assert "the API server does not reach it" in only(answer)
    assert "answered 404" in only(answer), "the API server's own words"
    assert answer["webhook"][1]["REACHED"] is False
    assert len(shell.prepare(lambda world: world.api.list(SPIDERIPPOOL))["items"]) == 1


def test_pods_that_cannot_be_created(shell: Any) -> None:
    async def broken(world: Any) -> None:
        world.api.refuse = None
        obj = await world.api.get(MUTATINGWEBHOOK, HOOK)
        obj["webhooks"].append(obj["webhooks"][0] | {"name": "pods.x", "failurePolicy": "Fail"})
        await world.api.update(MUTATINGWEBHOOK, obj)

    found = [f"{f['where']}: {f['text']}" for f in told(shell, broken)["findings"]]
    assert found[1] == (
        "webhook pods.x: its failurePolicy is Fail, so what it is asked about cannot be written"
    )


def test_a_job_that_failed(shell: Any) -> None:
    failed = {"type": "Failed", "status": "True", "message": "BackoffLimitExceeded"}
    job = {"metadata": {"name": "spiderpool-init", "namespace": SYSTEM, "labels": labels("init")}}
    answer = told(shell, lambda world: world.put(JOB, job | {"status": {"conditions": [failed]}}))
    assert "Job spiderpool-init: failed: BackoffLimitExceeded; kubectl logs -n" in only(answer)


def test_multus_of_the_chart_is_a_component(shell: Any) -> None:
    async def broken(world: Any) -> None:
        obj = daemonset()
        obj["metadata"] |= {"name": "spiderpool-multus", "labels": labels("multus")}
        obj["status"]["numberReady"] = 1
        await world.put(DAEMONSET, obj)

    assert f"multus in {SYSTEM}: 1 of 2 are ready" in only(told(shell, broken))


def test_an_agent_that_ends_is_not_asked_to_be_ready(shell: Any) -> None:
    async def broken(world: Any) -> None:
        await world.put(POD, component_pod("agent", "agent-old", "worker02", conditions=[]))
        await world.api.delete(POD, "agent-old", SYSTEM)

    answer = told(shell, broken)
    assert answer["findings"] == []
    assert answer["agents"][1]["AGENT"] == "agent-1"


def test_a_webhook_whose_page_answers_is_not_trusted(shell: Any) -> None:
    async def broken(world: Any) -> None:
        world.api.refuse = None
        name = "https%3Aspiderpool-controller%3A5722"
        path = f"/api/v1/namespaces/{SYSTEM}/services/{name}/proxy/webhook-health-check"
        world.api.pages[path] = b"ok"

    assert "the certificate is not trusted" in only(told(shell, broken))


def test_who_may_not_create_pools_is_told(shell: Any) -> None:
    async def broken(world: Any) -> None:
        world.api.refuse = lambda *_: KubeError(403, "Forbidden", "you may not create pools")

    line = only(told(shell, broken), "warning")
    assert "cannot be tried" in line
    assert "you may not create pools" in line


@pytest.mark.parametrize(
    ("age", "words", "level"),
    [
        (timedelta(days=366), "its certificate ended on", "problem"),
        (timedelta(days=350), "its certificate ends on", "warning"),
    ],
)
def test_a_certificate_that_ends(shell: Any, age: timedelta, words: str, level: str) -> None:
    assert words in only(told(shell, webhook=Webhook(age)), level)


def test_a_certificate_of_another_authority(shell: Any) -> None:
    async def broken(world: Any) -> None:
        await world.api.delete(SECRET, "spiderpool-controller-webhook", SYSTEM)
        await world.put(SECRET, Webhook().secret())

    assert "is not by the authority" in only(told(shell, broken))


@pytest.mark.parametrize("bundle", ["", "%", "bm90aGluZw=="])
def test_a_bundle_that_is_none(shell: Any, bundle: str) -> None:
    async def broken(world: Any) -> None:
        obj = await world.api.get(VALIDATINGWEBHOOK, HOOK)
        obj["webhooks"][0]["clientConfig"]["caBundle"] = bundle
        await world.api.update(VALIDATINGWEBHOOK, obj)

    assert "its caBundle holds no certificate" in only(told(shell, broken))


def test_what_may_not_be_read_is_named_and_the_rest_is_shown(
    shell: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    shell.prepare(install)
    real = shell.world.api.list

    async def list_(kind: Any, *args: Any, **kwargs: Any) -> Any:
        if kind == NODE:
            raise KubeError(403, "Forbidden", "nodes is forbidden")
        return await real(kind, *args, **kwargs)

    monkeypatch.setattr(shell.world.api, "list", list_)
    answer = json.loads(shell.ctl("status", "--json")[1])
    assert only(answer) == "Node: cannot be read: nodes is forbidden; get the right to list nodes"
    assert answer["pools"][0]["FREE"] == 9


def test_no_answer_is_one_line_and_status_2(shell: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    async def page(*_: Any, **__: Any) -> bytes:
        raise Unreachable("cannot connect to 127.0.0.1:1: Connection refused")

    monkeypatch.setattr(shell.world.api, "page", page)
    status, out, err = shell.ctl("status")
    assert (status, out) == (2, "")
    assert err == "spiderpoolctl: cannot connect to 127.0.0.1:1: Connection refused\n"


def test_something_else_that_answers_is_one_line_too(shell: Any) -> None:
    shell.prepare(install)
    shell.world.api.pages["/version"] = b"<html>"
    status, _, err = shell.ctl("status")
    assert (status, err.count("\n")) == (2, 1)
    assert "what answers is not a Kubernetes API" in err


def test_a_version_that_is_not_told_is_left_out(shell: Any) -> None:
    shell.prepare(install)
    del shell.world.api.pages["/version"]
    status, out, _ = shell.ctl("status", "--json")
    assert (status, json.loads(out)["kubernetes"]) == (0, "")


def test_what_a_component_cannot_follow_is_told(shell: Any) -> None:
    page = "/api/v1/namespaces/{}/pods/{}%3A{}/proxy/v1/runtime/readiness"

    async def broken(world: Any) -> None:
        world.api.pages[page.format(SYSTEM, "agent-0", 5710)] = b"ok\n"
        world.api.pages[page.format(SYSTEM, "agent-1", 5710)] = b"something else\nforbidden\n"
        controller = page.format(SYSTEM, "controller-0", 5720)
        world.api.pages[controller] = b"ok\njobs: jobs.batch is forbidden\n"

    assert only(told(shell, broken)) == (
        "Pod controller-0: does not follow jobs: jobs.batch is forbidden; "
        "what it knows of them is old until it can read them again"
    )
