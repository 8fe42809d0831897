"""What pages say of kinds that cannot be followed."""

from types import SimpleNamespace
from typing import Any

from spiderpool.kube.following import behind, followed
from spiderpool.kube.resources import JOB, POD, Resource
from spiderpool.metrics.text import exposition


def cache(kind: Resource, problem: str = "") -> Any:
    return SimpleNamespace(resource=kind, problem=problem)


def test_a_kind_is_followed_when_each_of_its_caches_is() -> None:
    """A controller has two of pods: all, and those of kube-controller-manager."""
    caches = [cache(POD), cache(POD, "pods: forbidden"), cache(JOB)]
    assert behind(caches) == ["pods: forbidden"]
    values = exposition([followed(caches)]).splitlines()[2:]
    assert values == [
        'spiderpool_kind_followed{kind="pods"} 0',
        'spiderpool_kind_followed{kind="jobs"} 1',
    ]
