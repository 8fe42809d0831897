"""The network that Multus gives pods which ask for none: named, or found on a node. Pure."""

from __future__ import annotations

import re

from spiderpool.errors import BadInput
from spiderpool.kube.api import Object
from spiderpool.kube.resources import SPIDERMULTUSCONFIG
from spiderpool.multus.attachment import ATTACHMENT_NAME

FALLBACK = "default"
CALICO, CALICO_NETWORK = "calico", "k8s-pod-network"
"""Calico's configuration bears another name than everybody calls it by."""

_NAME = re.compile(r"[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?")


def network(namespace: str, named: str, found: tuple[str, ...] | None) -> Object:
    """The SpiderMultusConfig of the default CNI: it has no configuration of its own, so that
    Multus takes the one of that name from the node.

    ``named`` wins; else the name of the node's first configuration, ``found`` (see
    :func:`spiderpool.controller.cniconf.default_cni`); else, or when that cannot be the name
    of an object, ``default``.

    Raises:
        BadInput: ``named`` cannot be the name of an object.
    """
    if named and not _NAME.fullmatch(named):
        remedy = "use small letters, digits, '-' and '.'"
        raise BadInput("multus.multusCNI.defaultCniCRName", f"{named!r} is no name", remedy)
    first = found[0] if found else ""
    name = named or (first if _NAME.fullmatch(first) else FALLBACK)
    annotations = {}
    if name == CALICO_NETWORK and not named:
        name, annotations = CALICO, {ATTACHMENT_NAME: CALICO_NETWORK}
    return {
        "apiVersion": SPIDERMULTUSCONFIG.api_version,
        "kind": SPIDERMULTUSCONFIG.kind,
        "metadata": {"name": name, "namespace": namespace, "annotations": annotations},
        "spec": {"cniType": "custom", "enableCoordinator": False},
    }
