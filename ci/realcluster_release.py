"""Install Spiderpool as the acceptance page does: its chart, with its values, by Helm."""

from __future__ import annotations

from pathlib import Path

from build_image import NAME
from realcluster_components import Cluster, run

CHART = Path(__file__).parents[1] / "deploy" / "chart" / "spiderpool"
NAMESPACE = "kube-system"
PAGE = {"coordinator.mode": "overlay"}


def install(cluster: Cluster) -> None:
    """Return when every part is ready.

    Raises:
        NotDone: with Helm's words.
    """
    values = PAGE | _images()
    run(
        *("helm", "install", "spiderpool", CHART, f"--namespace={NAMESPACE}", "--wait"),
        *("--timeout=120s", f"--kubeconfig={cluster.access.kubeconfig('admin')}"),
        *(f"--set={name}={value}" for name, value in values.items()),
    )


def _images() -> dict[str, str]:
    """Ours has a name of its own wherever it is pushed to; here it is the one it was built by."""
    path, _, tag = NAME.rpartition(":")
    registry, _, repository = path.partition("/")
    image = {"registry": registry, "repository": repository, "tag": tag}
    parts = ("spiderpoolAgent", "spiderpoolController", "spiderpoolInit")
    return {f"{part}.image.{key}": value for part in parts for key, value in image.items()}
