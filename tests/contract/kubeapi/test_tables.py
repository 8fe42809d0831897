"""Tables of built-in kinds: what ``kubectl get -o wide`` prints."""

from __future__ import annotations

from typing import Any

from rest import TABLE, Api


def table(client: Api, path: str, **query: str) -> tuple[list[tuple[str, int]], list[Any]]:
    """(column name, priority) of each column, and the cells of each row."""
    answer = client.must(client.get(path, accept=TABLE, **query))
    columns = [(each["name"], each["priority"]) for each in answer["columnDefinitions"]]
    return columns, [row["cells"] for row in answer["rows"]]


def test_pods(client: Api, core: str) -> None:
    spec = {"containers": [{"name": "c", "image": "i"}, {"name": "d", "image": "i"}]}
    client.must(client.create(f"{core}/pods", {"metadata": {"name": "p"}, "spec": spec}))
    columns, rows = table(client, f"{core}/pods")
    assert columns == [
        ("Name", 0),
        ("Ready", 0),
        ("Status", 0),
        ("Restarts", 0),
        ("Age", 0),
        ("IP", 1),
        ("Node", 1),
        ("Nominated Node", 1),
        ("Readiness Gates", 1),
    ]
    assert rows[0][:4] == ["p", "0/2", "Pending", "0"]
    assert rows[0][5:] == ["<none>", "<none>", "<none>", "<none>"]


def test_running_pod(client: Api, core: str) -> None:
    spec = {"containers": [{"name": "c", "image": "i"}]}
    client.must(client.create(f"{core}/pods", {"metadata": {"name": "p"}, "spec": spec}))
    target = {"metadata": {"name": "p"}, "target": {"kind": "Node", "name": "worker01"}}
    client.must(client.create(f"{core}/pods/p/binding", target))
    container = {
        "name": "c",
        "image": "i",
        "imageID": "",
        "ready": True,
        "restartCount": 2,
        "state": {"running": {"startedAt": "2026-01-01T00:00:00Z"}},
    }
    status = {
        "phase": "Running",
        "podIP": "10.0.0.9",
        "podIPs": [{"ip": "10.0.0.9"}],
        "containerStatuses": [container],
    }
    client.must(client.patch(f"{core}/pods/p/status", {"status": status}))
    cells = table(client, f"{core}/pods")[1][0]
    assert cells[:4] == ["p", "1/1", "Running", "2"]
    assert cells[5:7] == ["10.0.0.9", "worker01"]
    client.must(client.delete(f"{core}/pods/p"))
    assert table(client, f"{core}/pods")[1][0][2] == "Terminating"


def test_pod_that_waits(client: Api, core: str) -> None:
    spec = {"containers": [{"name": "c", "image": "i"}]}
    client.must(client.create(f"{core}/pods", {"metadata": {"name": "p"}, "spec": spec}))
    state = {"waiting": {"reason": "ContainerCreating"}}
    container = {"name": "c", "image": "i", "imageID": "", "ready": False, "restartCount": 0}
    body = {"status": {"containerStatuses": [{**container, "state": state}]}}
    client.must(client.patch(f"{core}/pods/p/status", body))
    assert table(client, f"{core}/pods")[1][0][2] == "ContainerCreating"


def test_services(client: Api, core: str) -> None:
    ports = [
        {"name": "dns", "port": 53, "protocol": "UDP"},
        {"name": "dns-tcp", "port": 53, "protocol": "TCP"},
        {"name": "metrics", "port": 9153},
    ]
    body = {"metadata": {"name": "coredns"}, "spec": {"ports": ports, "selector": {"k": "v"}}}
    made = client.must(client.create(f"{core}/services", body))
    columns, rows = table(client, f"{core}/services")
    assert [name for name, _ in columns] == [
        "Name",
        "Type",
        "Cluster-IP",
        "External-IP",
        "Port(s)",
        "Age",
        "Selector",
    ]
    assert rows[0][:5] == [
        "coredns",
        "ClusterIP",
        made["spec"]["clusterIP"],
        "<none>",
        "53/UDP,53/TCP,9153/TCP",
    ]
    assert rows[0][6] == "k=v"


def test_node_port_service(client: Api, core: str) -> None:
    spec = {"type": "NodePort", "ports": [{"port": 80}]}
    body = {"metadata": {"name": "a"}, "spec": spec}
    made = client.must(client.create(f"{core}/services", body))
    node_port = made["spec"]["ports"][0]["nodePort"]
    cells = table(client, f"{core}/services")[1][0]
    assert cells[4] == f"80:{node_port}/TCP"
    assert cells[6] == "<none>"


def test_deployments(client: Api, namespace: str) -> None:
    path = f"/apis/apps/v1/namespaces/{namespace}/deployments"
    template = {
        "metadata": {"labels": {"app": "web"}},
        "spec": {"containers": [{"name": "a", "image": "x"}, {"name": "b", "image": "y"}]},
    }
    spec = {"replicas": 2, "selector": {"matchLabels": {"app": "web"}}, "template": template}
    client.must(client.create(path, {"metadata": {"name": "web"}, "spec": spec}))
    status = {"replicas": 2, "updatedReplicas": 2, "readyReplicas": 1, "availableReplicas": 1}
    client.must(client.patch(f"{path}/web/status", {"status": status}))
    columns, rows = table(client, path)
    assert columns == [
        ("Name", 0),
        ("Ready", 0),
        ("Up-to-date", 0),
        ("Available", 0),
        ("Age", 0),
        ("Containers", 1),
        ("Images", 1),
        ("Selector", 1),
    ]
    assert rows[0][:4] == ["web", "1/2", 2, 1]
    assert rows[0][5:] == ["a,b", "x,y", "app=web"]


def test_namespaces_and_config_maps(client: Api, core: str, namespace: str) -> None:
    query = {"fieldSelector": f"metadata.name={namespace}"}
    columns, rows = table(client, "/api/v1/namespaces", **query)
    assert [name for name, _ in columns] == ["Name", "Status", "Age"]
    assert rows[0][:2] == [namespace, "Active"]
    body = {"metadata": {"name": "a"}, "data": {"x": "1", "y": "2"}}
    client.must(client.create(f"{core}/configmaps", body))
    columns, rows = table(client, f"{core}/configmaps", fieldSelector="metadata.name=a")
    assert [name for name, _ in columns] == ["Name", "Data", "Age"]
    assert rows[0][:2] == ["a", "2"] or rows[0][:2] == ["a", 2]


def test_events(client: Api, core: str, namespace: str) -> None:
    involved = {"kind": "Pod", "name": "p", "namespace": namespace}
    body = {
        "metadata": {"name": "p.1"},
        "involvedObject": involved,
        "type": "Warning",
        "reason": "Failed",
        "message": "it did not work",
        "source": {"component": "kubelet", "host": "worker01"},
        "firstTimestamp": "2026-01-01T00:00:00Z",
        "lastTimestamp": "2026-01-01T00:00:00Z",
        "count": 3,
    }
    client.must(client.create(f"{core}/events", body))
    columns, rows = table(client, f"{core}/events")
    assert columns == [
        ("Last Seen", 0),
        ("Type", 0),
        ("Reason", 0),
        ("Object", 0),
        ("Subobject", 1),
        ("Source", 1),
        ("Message", 0),
        ("First Seen", 1),
        ("Count", 1),
        ("Name", 1),
    ]
    assert rows[0][1:4] == ["Warning", "Failed", "pod/p"]
    assert rows[0][5:7] == ["kubelet, worker01", "it did not work"]
    assert rows[0][8:] == [3, "p.1"]


def test_one_object_and_its_metadata(client: Api, core: str) -> None:
    made = client.must(client.create(f"{core}/configmaps", {"metadata": {"name": "a"}}))
    answer = client.must(client.get(f"{core}/configmaps/a", accept=TABLE))
    row = answer["rows"][0]
    assert row["object"]["kind"] == "PartialObjectMetadata"
    assert row["object"]["metadata"] == made["metadata"]
    whole = client.must(client.get(f"{core}/configmaps/a", accept=TABLE, includeObject="Object"))
    assert whole["rows"][0]["object"]["kind"] == "ConfigMap"
    none = client.must(client.get(f"{core}/configmaps/a", accept=TABLE, includeObject="None"))
    assert none["rows"][0]["object"] is None
