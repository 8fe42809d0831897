"""``spiderpoolctl sysdump``: what helps, nothing that is secret, and what is missing is said."""

from __future__ import annotations

import asyncio
import gzip
import json
import os
import tarfile
from pathlib import Path
from typing import Any

import pytest
from installation import KUBEADM, SYSTEM, component_pod, install

from spiderpool.ctl import evidence
from spiderpool.ctl.dump import collect
from spiderpool.ctl.dump.archive import FOLDER, Archive
from spiderpool.errors import Unreachable
from spiderpool.kube.resources import CONFIGMAP, EVENT, NODE, POD, SECRET
from spiderpool.testing.kubefaults import FaultyClient

JWT = "eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJrdWJlcm5ldGVzIn0.c2lnbmF0dXJlLW9mLWl0"
KEY = "-----BEGIN PRIVATE KEY-----\nMIGHAgEAMBMGByqGSM49\n-----END PRIVATE KEY-----\n"
SECRETS = ("hunter2", "MIGHAgEAMBMGByqGSM49", JWT, "s3cr3t", "deadbeef.token")
LOG = f"/api/v1/namespaces/{SYSTEM}/pods/controller-0/log"


async def sources(world: Any) -> None:
    """An installation in which people left secrets wherever they can."""
    await install(world)
    await world.put(CONFIGMAP, with_secrets(KUBEADM))
    asks = {"k8s.v1.cni.cncf.io/networks": "lan", "vault.example.org/token": "hunter2"}
    await world.pod("web/asks", annotations=asks)
    await world.pod("web/other")
    main = {"name": "main", "image": "i", "env": [{"name": "A", "value": "hunter2"}]}
    spec = {"spec": {"containers": [main | {"args": ["--x", "hunter2"]}]}}
    await world.api.patch(POD, "asks", spec, "web")
    restarted = {"containerStatuses": [{"name": "controller", "restartCount": 2}]}
    await world.api.patch(POD, "controller-0", {"status": restarted}, SYSTEM, subresource="status")
    await world.put(EVENT, event("a", "spiderpool-agent", "NoAddress"))
    await world.put(EVENT, event("b", "kubelet", "FailedCreatePodSandBox"))
    await world.put(EVENT, event("c", "kubelet", "Pulled"))
    applied = {"kubectl.kubernetes.io/last-applied-configuration": "hunter2"}
    await world.api.patch(NODE, "worker01", {"metadata": {"annotations": applied}})
    world.api.pages[LOG] = f"started\ntoken={JWT}\npassword: s3cr3t\n{KEY}Authorization: Bearer "\
        f"deadbeef.token\nended\n".encode()  # fmt: skip
    proxy = f"/api/v1/namespaces/{SYSTEM}/pods/agent-0%3A5711/proxy/metrics"
    world.api.pages[proxy] = b"spiderpool_agent_ready 1\n"
    for pod, port in (("agent-0", 5710), ("agent-1", 5710), ("controller-0", 5720)):
        page = f"/api/v1/namespaces/{SYSTEM}/pods/{pod}%3A{port}/proxy/v1/runtime/readiness"
        world.api.pages[page] = b"ok\n"


def with_secrets(config_map: Any) -> Any:
    text = config_map["data"]["ClusterConfiguration"] + "bootstrapToken: hunter2\n"
    return config_map | {"data": {"ClusterConfiguration": text}}


def event(name: str, component: str, reason: str) -> Any:
    about = {"kind": "Pod", "apiVersion": "v1", "name": "x"}
    return {"metadata": {"name": name, "namespace": "web"}, "source": {"component": component},
            "reason": reason, "involvedObject": about}  # fmt: skip


def dumped(shell: Any, path: Path, *words: str) -> tuple[int, str, dict[str, str]]:
    """Exit status, stderr and the files."""
    root = path.parent / "root"
    status, _, err = shell.ctl("sysdump", f"--output={path}", f"--root={root}", *words)
    with tarfile.open(path) as tar:
        files = {}
        for member in tar.getmembers():
            content = tar.extractfile(member)
            assert content is not None
            files[member.name.removeprefix(f"{FOLDER}/")] = content.read().decode()
    return status, err, files


def test_everything_is_in_it_and_the_index_says_what(shell: Any, tmp_path: Path) -> None:
    shell.prepare(sources)
    _, _, files = dumped(shell, tmp_path / "d.tar.gz")
    index = json.loads(files["index.json"])
    assert next(iter(files)) == "index.json"
    listed = [entry["path"] for entry in index["files"]]
    assert listed == sorted(listed) == [name for name in files if name != "index.json"]
    for entry in index["files"]:
        assert entry["bytes"] == len(files[entry["path"]].encode())
    for name in (
        "version.json",
        "status.json",
        "objects/spiderippools.spiderpool.spidernet.io.json",
        "objects/network-attachment-definitions.k8s.cni.cncf.io.json",
        "objects/nodes.json",
        "objects/configmaps/kubeadm-config.json",
        f"logs/{SYSTEM}/controller-0/controller.log",
        f"logs/{SYSTEM}/controller-0/controller.previous.log",
        f"pages/{SYSTEM}/agent-0/metrics.txt",
    ):
        assert name in files
    assert json.loads(files["objects/spiderippools.spiderpool.spidernet.io.json"])[0]["spec"]
    pods = {o["metadata"]["name"] for o in json.loads(files["objects/pods.json"])}
    assert pods == {"asks", "agent-0", "agent-1", "controller-0"}, "and not web/other"
    reasons = [o["reason"] for o in json.loads(files["objects/events.json"])]
    assert reasons == ["NoAddress", "FailedCreatePodSandBox"]


def test_nothing_secret_is_asked_for_or_written(
    shell: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The control: each of the secrets is in what the API serves."""
    shell.prepare(sources)
    client = FaultyClient(shell.world.api)
    monkeypatch.setattr(evidence, "connect", lambda kubeconfig: client)
    _, _, files = dumped(shell, tmp_path / "d.tar.gz")
    served = str(shell.world.api._collections) + str(shell.world.api.pages)
    everything = "".join(files.values())
    for secret in SECRETS:
        assert secret in served
        assert secret not in everything
    log = files[f"logs/{SYSTEM}/controller-0/controller.log"]
    assert log.splitlines()[0] == "started"
    assert log.splitlines()[-1] == "ended"
    asked = [request for request in client.requests if request.resource == SECRET]
    assert [(request.verb, request.name) for request in asked] == [
        ("get", "spiderpool-controller-webhook")
    ], "by status, for the date of the certificate"
    secret = shell.prepare(lambda w: w.api.get(SECRET, "spiderpool-controller-webhook", SYSTEM))
    assert not [value for value in secret["data"].values() if value in everything]


def test_what_is_missing_is_said_twice(shell: Any, tmp_path: Path) -> None:
    """Logs of agents are not served here."""
    shell.prepare(sources)
    status, err, files = dumped(shell, tmp_path / "d.tar.gz")
    assert status == 1
    failures = json.loads(files["index.json"])["failures"]
    assert [f["what"] for f in failures] == [
        "log of Pod agent-0, container agent",
        "log of Pod agent-1, container agent",
        "metrics of Pod agent-1",
    ]
    for failure in failures:
        assert f"spiderpoolctl: {failure['what']} is not in it: {failure['why']}\n" in err


def test_a_server_that_is_gone_midway_costs_only_what_it_did_not_say(
    shell: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shell.prepare(sources)
    real = shell.world.api.list

    async def list_(kind: Any, *args: Any, **kwargs: Any) -> Any:
        if kind == NODE:
            raise Unreachable("connection refused")
        return await real(kind, *args, **kwargs)

    monkeypatch.setattr(shell.world.api, "list", list_)
    status, err, files = dumped(shell, tmp_path / "d.tar.gz")
    assert status == 1
    assert "objects of kind Node is not in it: connection refused" in err
    assert "status is not in it: connection refused" in err
    assert "objects/pods.json" in files
    assert "objects/nodes.json" not in files


def test_who_does_not_answer_does_not_hold_it_up(
    shell: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shell.prepare(sources)
    real = shell.world.api.list

    async def list_(kind: Any, *args: Any, **kwargs: Any) -> Any:
        if kind == NODE:
            await asyncio.Event().wait()
        return await real(kind, *args, **kwargs)

    monkeypatch.setattr(shell.world.api, "list", list_)
    monkeypatch.setattr(collect, "SECONDS_EACH", 0.2)
    _, err, files = dumped(shell, tmp_path / "d.tar.gz", "--seconds=5")
    assert "objects of kind Node is not in it: not answered within 0 s" in err
    assert "objects/pods.json" in files
    monkeypatch.setattr(collect, "SECONDS_EACH", 20.0)
    _, err, files = dumped(shell, tmp_path / "d.tar.gz", "--seconds=0.3")
    assert "objects of kind Node is not in it: not collected within 0 s" in err
    assert "index.json" in files


def test_a_limit_that_nothing_exceeds(shell: Any, tmp_path: Path) -> None:
    async def story(world: Any) -> None:
        await sources(world)
        world.api.pages[LOG] = os.urandom(3 << 20).hex().encode()

    shell.prepare(story)
    status, err, files = dumped(shell, tmp_path / "d.tar.gz", "--mebibytes=1")
    assert status == 1
    assert "log of Pod controller-0, container controller is not in it: its 4194304 bytes" in err
    assert sum(map(len, files.values())) < 1 << 21


def test_the_same_content_makes_the_same_bytes(tmp_path: Path) -> None:
    for order in ("ab", "ba"):
        archive = Archive(1000)
        for name in order:
            archive.add(f"{name}.txt", name, name.encode())
        archive.fail("c", "why")
        archive.write(tmp_path / f"{order}.tar.gz", created="now")
    one, other = (tmp_path / "ab.tar.gz").read_bytes(), (tmp_path / "ba.tar.gz").read_bytes()
    assert one == other
    assert gzip.decompress(one)
    assert (tmp_path / "ab.tar.gz").stat().st_mode & 0o777 == 0o600
    assert sorted(path.name for path in tmp_path.iterdir()) == ["ab.tar.gz", "ba.tar.gz"]


def test_a_node_is_examined_when_there_is_one(shell: Any, tmp_path: Path) -> None:
    shell.prepare(sources)
    _, _, files = dumped(shell, tmp_path / "a.tar.gz")
    assert "node/doctor.json" not in files
    (tmp_path / "root/var/lib/spidernet").mkdir(parents=True)
    _, _, files = dumped(shell, tmp_path / "b.tar.gz", "--kubeconfig=/k")
    findings = json.loads(files["node/doctor.json"])
    assert "CIDR discovery" in [finding["where"] for finding in findings]


def test_a_place_that_cannot_be_written_is_one_line(shell: Any, tmp_path: Path) -> None:
    status, _, err = shell.ctl("sysdump", f"--output={tmp_path}/no/d.tar.gz")
    assert (status, err) == (
        2,
        f"spiderpoolctl: --output {tmp_path}/no/d.tar.gz: its folder does not exist\n",
    )


def test_a_component_keeps_its_arguments() -> None:
    pod = component_pod("agent", "agent-0", "n")
    pod["spec"]["containers"][0]["args"] = ["--node=n"]
    (kept,) = collect._pods([pod])
    assert kept["spec"]["containers"][0]["args"] == ["--node=n"]
