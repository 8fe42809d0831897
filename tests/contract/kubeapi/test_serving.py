"""How the embedded server is reached: tokens, TLS, discovery, and what it says of itself."""

from __future__ import annotations

import http.client
import json
import ssl
import subprocess
from pathlib import Path

import pytest
from rest import Api

from harness.kubeapi.launch import embedded_server


def test_token_is_demanded(tmp_path: Path) -> None:
    with embedded_server(tmp_path, "--token=secret") as config:
        api = Api.from_kubeconfig(config)
        assert api.get("/api/v1/namespaces").code == 200
        for token in ("", "wrong"):
            stranger = Api(api.url, token)
            answer = stranger.get("/api/v1/namespaces")
            assert (answer.code, answer.reason) == (401, "Unauthorized")
            stranger.connection.close()
        api.connection.close()


def test_kubeconfig_is_private(tmp_path: Path) -> None:
    with embedded_server(tmp_path, "--token=secret") as config:
        assert config.stat().st_mode & 0o077 == 0


@pytest.mark.binary("openssl")
def test_https_by_a_certificate_of_ones_own(tmp_path: Path) -> None:
    certificate, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1",
         "-nodes", "-days", "2", "-subj", "/CN=api", "-addext", "subjectAltName=IP:127.0.0.1",
         "-keyout", str(key), "-out", str(certificate)],
        check=True, capture_output=True,
    )  # fmt: skip
    with embedded_server(tmp_path, f"--tls-cert={certificate}", f"--tls-key={key}") as config:
        cluster = json.loads(config.read_text())["clusters"][0]["cluster"]
        assert cluster["server"].startswith("https://127.0.0.1:")
        trusting = ssl.create_default_context(cafile=cluster["certificate-authority"])
        place = cluster["server"].removeprefix("https://")
        connection = http.client.HTTPSConnection(place, timeout=10, context=trusting)
        connection.request("GET", "/version")
        assert json.loads(connection.getresponse().read())["minor"] == "35"
        connection.close()


def test_health_and_version(client: Api) -> None:
    for path in ("/healthz", "/livez", "/readyz"):
        assert client.get(path).body == "ok"
    version = client.must(client.get("/version"))
    assert (version["major"], version["minor"]) == ("1", "35")


def test_roots_of_discovery(client: Api) -> None:
    assert client.must(client.get("/api"))["versions"] == ["v1"]
    groups = {group["name"]: group for group in client.must(client.get("/apis"))["groups"]}
    assert groups["apps"]["preferredVersion"] == {"groupVersion": "apps/v1", "version": "v1"}
    group = client.must(client.get("/apis/apps"))
    assert (group["kind"], group["name"]) == ("APIGroup", "apps")


def test_resources_of_a_version(client: Api) -> None:
    found = client.must(client.get("/api/v1"))["resources"]
    pods = {each["name"]: each for each in found}
    assert pods["pods"]["shortNames"] == ["po"]
    assert pods["pods"]["categories"] == ["all"]
    assert pods["pods/binding"]["kind"] == "Binding"
    assert pods["pods/status"]["verbs"] == ["get", "patch", "update"]
    assert pods["namespaces"]["namespaced"] is False


def test_aggregated_discovery(client: Api) -> None:
    accept = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json"
    answer = client.get("/apis", accept=accept)
    assert "as=APIGroupDiscoveryList" in answer.headers["Content-Type"]
    assert answer.body["apiVersion"] == "apidiscovery.k8s.io/v2"
    apps = next(each for each in answer.body["items"] if each["metadata"]["name"] == "apps")
    resources = {each["resource"]: each for each in apps["versions"][0]["resources"]}
    deployments = resources["deployments"]
    assert deployments["responseKind"] == {"group": "", "version": "", "kind": "Deployment"}
    assert {each["subresource"] for each in deployments["subresources"]} == {"scale", "status"}


def test_openapi_tells_how_to_patch(client: Api) -> None:
    index = client.must(client.get("/openapi/v3"))["paths"]
    document = client.must(client.get(index["apis/apps/v1"]["serverRelativeURL"]))
    path = "/apis/apps/v1/namespaces/{namespace}/deployments/{name}"
    accepted = document["paths"][path]["patch"]["requestBody"]["content"]
    assert "application/strategic-merge-patch+json" in accepted
    names = [each["name"] for each in document["paths"][path]["patch"]["parameters"]]
    assert "fieldValidation" in names


def test_methods_that_are_none(client: Api, core: str) -> None:
    answer = client.put(f"{core}/configmaps", {})
    assert (answer.code, answer.reason) == (405, "MethodNotAllowed")
