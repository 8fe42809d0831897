"""Kubeconfigs as people have them, and what is wrong with others."""

from __future__ import annotations

import asyncio
import base64
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from spiderpool.errors import BadInput
from spiderpool.kube.access import find_access, in_cluster, read_kubeconfig


def written(tmp_path: Path, cluster: Any = None, user: Any = None, **top: Any) -> Path:
    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "here",
        "contexts": [{"name": "here", "context": {"cluster": "c", "user": "u"}}],
        "clusters": [{"name": "c", "cluster": cluster or {"server": "http://127.0.0.1:8080/"}}],
        "users": [{"name": "u", "user": user or {}}],
    } | top
    path = tmp_path / "kubeconfig"
    path.write_text(yaml.safe_dump(config))
    return path


def header(path: Path) -> str:
    return asyncio.run(read_kubeconfig(path).credentials.authorization())


def test_a_plain_server(tmp_path: Path) -> None:
    access = read_kubeconfig(written(tmp_path))
    assert (access.server, access.tls, access.proxy) == ("http://127.0.0.1:8080", None, None)
    assert asyncio.run(access.credentials.authorization()) == ""


def test_ways_to_say_who_one_is(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("from-file\n")
    assert header(written(tmp_path, user={"token": "abc"})) == "Bearer abc"
    assert header(written(tmp_path, user={"tokenFile": "token"})) == "Bearer from-file"
    both = {"username": "me", "password": "secret"}
    assert header(written(tmp_path, user=both)) == "Basic bWU6c2VjcmV0"


def test_https_checks_certificates_unless_told_not_to(tmp_path: Path) -> None:
    import ssl

    tls = read_kubeconfig(written(tmp_path, {"server": "https://h:6443"})).tls
    assert tls is not None
    assert tls.verify_mode is ssl.CERT_REQUIRED
    lax = {"server": "https://h:6443", "insecure-skip-tls-verify": True}
    tls = read_kubeconfig(written(tmp_path, lax)).tls
    assert tls is not None
    assert tls.verify_mode is ssl.CERT_NONE


def test_an_exec_plugin_gives_the_token(tmp_path: Path) -> None:
    credential = (
        '{"apiVersion":"client.authentication.k8s.io/v1","kind":"ExecCredential",'
        '"status":{"token":"from-plugin"}}'
    )
    user = {
        "exec": {
            "apiVersion": "client.authentication.k8s.io/v1",
            "command": sys.executable,
            "args": ["-c", f"print('{credential}')"],
            "interactiveMode": "Never",
        }
    }
    assert header(written(tmp_path, user=user)) == "Bearer from-plugin"


def test_an_exec_plugin_that_fails_is_one_clear_error(tmp_path: Path) -> None:
    user = {"exec": {"apiVersion": "client.authentication.k8s.io/v1", "command": "/bin/false"}}
    with pytest.raises(BadInput, match="gave no token"):
        header(written(tmp_path, user=user))


def test_a_plain_kubeconfig_does_not_load_the_kubernetes_package(tmp_path: Path) -> None:
    path = written(tmp_path, user={"token": "abc"})
    script = (
        "import sys; from spiderpool.kube.client import connect; connect(sys.argv[1]); "
        "sys.exit('kubernetes' in sys.modules)"
    )
    subprocess.run([sys.executable, "-c", script, str(path)], check=True, timeout=30)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"current-context": ""}, "current-context: is empty; name one of the file's contexts"),
        ({"current-context": "gone"}, "contexts: has no entry named 'gone'"),
        ({"clusters": []}, "clusters: has no entry named 'c'"),
        ({"users": []}, "users: has no entry named 'u'"),
        (
            {"clusters": [{"name": "c", "cluster": {"server": "h:6443"}}]},
            "clusters[].cluster.server: 'h:6443' is not a URL",
        ),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, change: dict[str, Any], words: str) -> None:
    path = written(tmp_path, **change)
    with pytest.raises(BadInput) as caught:
        read_kubeconfig(path)
    assert str(caught.value) == f"{path}: {words}"


@pytest.mark.parametrize("text", ["[1, 2", "- a\n", ""])
def test_a_file_that_is_no_kubeconfig(tmp_path: Path, text: str) -> None:
    path = tmp_path / "kubeconfig"
    path.write_text(text)
    with pytest.raises(BadInput, match="is not"):
        read_kubeconfig(path)


def test_bad_certificates_are_named(tmp_path: Path) -> None:
    no_pem = base64.b64encode(b"no pem").decode()
    cluster = {"server": "https://h", "certificate-authority-data": no_pem}
    with pytest.raises(BadInput, match="certificates: cannot be used"):
        read_kubeconfig(written(tmp_path, cluster))
    cluster["certificate-authority-data"] = "%%%"
    with pytest.raises(BadInput, match="certificate-authority-data: is not base64"):
        read_kubeconfig(written(tmp_path, cluster))


def test_in_cluster(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "token").write_text("abc")
    authority = Path(__file__).with_name("authority.pem").read_text()
    (tmp_path / "ca.crt").write_text(authority)
    access = in_cluster(
        {"KUBERNETES_SERVICE_HOST": "fd00::1", "KUBERNETES_SERVICE_PORT": "6443"}, tmp_path
    )
    assert access.server == "https://[fd00::1]:6443"
    assert asyncio.run(access.credentials.authorization()) == "Bearer abc"


def test_kubeconfig_variable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KUBECONFIG", str(written(tmp_path)))
    assert find_access(None).server == "http://127.0.0.1:8080"
