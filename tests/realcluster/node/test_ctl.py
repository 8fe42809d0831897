"""``spiderpoolctl`` on a real node: what it says of health, and of what is broken for it."""

from __future__ import annotations

import base64
import json
import subprocess
import sys
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from real_node import NAMESPACE, items, kubectl, pods_of, until

CONTROLLER = f"-n={NAMESPACE} deployment/spiderpool-controller".split()
PLUGIN = Path("/opt/cni/bin/coordinator")


def ctl(*words: str) -> tuple[int, str, str]:
    """Exit status and both outputs."""
    command = [sys.executable, "-m", "spiderpool.ctl", *words]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout, done.stderr


def problems(*words: str) -> dict[str, str]:
    """Where -> what, of what a command calls a problem."""
    status, out, _ = ctl(*words, "--json")
    answer: dict[str, Any] = json.loads(out)
    assert status == (0 if answer["healthy"] else 1)
    return {f["where"]: f["text"] for f in answer["findings"] if f["level"] == "problem"}


@contextmanager
def no_controller() -> Iterator[None]:
    kubectl("scale", *CONTROLLER, "--replicas=0")
    until(lambda: not pods_of("controller"))
    try:
        yield
    finally:
        kubectl("scale", *CONTROLLER, "--replicas=1")
        kubectl("rollout", "status", *CONTROLLER, "--timeout=60s")
        until(lambda: not problems("status"))


def test_an_installation_in_good_health_and_one_without_a_controller() -> None:
    until(lambda: not problems("status"))
    with no_controller():
        found = problems("status")
        assert "none is wanted" in found[f"controller in {NAMESPACE}"]
        assert "no controller leads" in found[f"Lease {NAMESPACE}/spiderpool-controller-leases"]
        assert "no endpoints available for service" in found["webhook spiderpool-controller"]


def test_the_node_in_good_health_and_without_a_plugin() -> None:
    assert problems("doctor", "--node=worker01") == {}
    kept = PLUGIN.with_name(".kept")
    PLUGIN.rename(kept)
    try:
        assert problems("doctor", "--node=worker01") == {str(PLUGIN): "is missing"}
    finally:
        kept.rename(PLUGIN)


def test_a_dump_is_complete_and_holds_no_secret(tmp_path: Path) -> None:
    output = tmp_path / "dump.tar.gz"
    status, _, err = ctl("sysdump", f"--output={output}", "--node=worker01")
    assert (status, err) == (0, "")
    with tarfile.open(output) as tar:
        texts = {m.name: (tar.extractfile(m) or _nothing(m.name)).read() for m in tar.getmembers()}
    for pod in (*pods_of("agent"), *pods_of("controller")):
        for container in pod["spec"]["containers"]:
            log = f"logs/{NAMESPACE}/{pod['metadata']['name']}/{container['name']}.log"
            assert b'"level":"info"' in texts[f"spiderpool-sysdump/{log}"]
    assert "spiderpool-sysdump/node/doctor.json" in texts
    everything = b"".join(texts.values())
    secrets = [v for s in items("secrets", "-A") for v in (s.get("data") or {}).values()]
    hidden = [value for value in secrets if not is_public(value)]
    assert len(hidden) > 2, "the control: keys, and what helm keeps"
    for value in hidden:
        assert value.encode() not in everything
        assert base64.b64decode(value) not in everything


def is_public(value: str) -> bool:
    """Certificates stand in webhook configurations, too."""
    return base64.b64decode(value).startswith(b"-----BEGIN CERTIFICATE-----")


def _nothing(name: str) -> Any:
    raise AssertionError(f"{name} is no file")
