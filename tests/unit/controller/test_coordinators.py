"""The SpiderCoordinator's status follows the cluster."""

from typing import Any

from controller_world import KUBEADM, World, coordinator, run, running

from spiderpool.kube.resources import CALICO_IPPOOL, CONFIGMAP, POD, SPIDERCOORDINATOR


async def status(world: World, name: str = "default", **said: Any) -> dict[str, Any]:
    """The object once its status says all that."""
    return await world.until(
        SPIDERCOORDINATOR, name, lambda o: said.items() <= (o.get("status") or {}).items()
    )


def test_the_page() -> None:
    async def scene() -> None:
        async with running(
            (CONFIGMAP, KUBEADM), (SPIDERCOORDINATOR, coordinator(mode="overlay"))
        ) as world:
            obj = await status(
                world,
                phase="Synced",
                overlayPodCIDR=["10.233.64.0/18"],
                serviceCIDR=["10.233.0.0/18"],
            )
            assert obj["metadata"]["finalizers"] == ["spiderpool.spidernet.io"]

    run(scene)


def test_not_ready_until_the_configmap_is_written_by_hand() -> None:
    async def scene() -> None:
        async with running((SPIDERCOORDINATOR, coordinator())) as world:
            obj = await status(world, phase="NotReady")
            assert "neither ConfigMap kube-system/kubeadm-config nor" in obj["status"]["reason"]
            await world.api.create(CONFIGMAP, KUBEADM)
            obj = await status(world, phase="Synced")
            assert "reason" not in obj["status"]
            await world.api.delete(CONFIGMAP, "kubeadm-config", "kube-system")
            await status(world, phase="NotReady", overlayPodCIDR=[])

    run(scene)


def test_a_controller_manager_pod_will_do() -> None:
    async def scene() -> None:
        pod = {
            "metadata": {
                "name": "kcm",
                "namespace": "kube-system",
                "labels": {"component": "kube-controller-manager"},
            },
            "spec": {
                "containers": [
                    {
                        "args": [
                            "--cluster-cidr=10.1.0.0/16",
                            "--service-cluster-ip-range=10.2.0.0/16",
                        ]
                    }
                ]
            },
        }
        async with running((SPIDERCOORDINATOR, coordinator())) as world:
            await status(world, phase="NotReady")
            await world.api.create(POD, pod)
            await status(world, phase="Synced", overlayPodCIDR=["10.1.0.0/16"])

    run(scene)


def test_calico_pools_are_followed() -> None:
    async def scene() -> None:
        pool = {"metadata": {"name": "p"}, "spec": {"cidr": "10.244.0.0/16"}}
        async with running(
            (CONFIGMAP, KUBEADM), (SPIDERCOORDINATOR, coordinator(podCIDRType="calico"))
        ) as world:
            await status(world, phase="NotReady", serviceCIDR=["10.233.0.0/18"])
            await world.api.create(CALICO_IPPOOL, pool)
            await status(world, phase="Synced", overlayPodCIDR=["10.244.0.0/16"])
            await world.api.patch(CALICO_IPPOOL, "p", {"spec": {"disabled": True}})
            await status(world, phase="NotReady")

    run(scene)


def test_only_the_one_named_default_counts() -> None:
    async def scene() -> None:
        async with running(
            (CONFIGMAP, KUBEADM), (SPIDERCOORDINATOR, coordinator("second"))
        ) as world:
            obj = await status(world, "second", phase="NotReady")
            assert "only the SpiderCoordinator 'default' is used" in obj["status"]["reason"]

    run(scene)


def test_a_spec_that_cannot_be_read_is_the_reason() -> None:
    async def scene() -> None:
        async with running((SPIDERCOORDINATOR, coordinator(mode="foo"))) as world:
            obj = await status(world, phase="NotReady")
            assert (
                "SpiderCoordinator default: spec.mode: 'foo' is not known"
                in (obj["status"]["reason"])
            )

    run(scene)


def test_it_can_be_deleted() -> None:
    async def scene() -> None:
        async with running((SPIDERCOORDINATOR, coordinator())) as world:
            await status(world, phase="NotReady")
            await world.api.delete(SPIDERCOORDINATOR, "default")
            await world.until_gone(SPIDERCOORDINATOR, "default")

    run(scene)
