"""Takes out of objects and texts what nobody else may see, and what nobody needs. Pure.

Secrets are never asked for. What is left here are values that people put where everybody may
read them: tokens in environments, arguments, annotations, configurations and log lines.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from spiderpool.kube.api import Object

HIDDEN = "(hidden)"
OURS = ("spidernet.io/", "k8s.v1.cni.cncf.io/", "kubernetes.io/config.")
"""Annotations of pods that are kept, by what their domain ends with."""
CONTAINER = ("name", "image", "ports", "resources", "securityContext")
ARGUMENTS = ("command", "args")
_NAMES = (
    r"(?:password|passwd|secret|token|authorization|credential|private.?key|api.?key)[\w-]{0,64}"
)
_PRIVATE_KEY = re.compile(
    r"-----BEGIN [A-Z ]{0,32}PRIVATE KEY-----.*?(?:-----END [A-Z ]{0,32}KEY-----|\Z)", re.DOTALL
)
_JWT = re.compile(r"(?<![\w-])eyJ[\w-]{8,}+\.[\w-]{8,}+\.[\w-]*+")
_BEARER = re.compile(r"(?i)\b(bearer|basic)(\s+)[\w.~+/=-]{8,}")
_PAIR = re.compile(rf'(?i)({_NAMES}\\*"\s*:\s*\\*")[^"\\]+')
_WORD = re.compile(rf"(?i)({_NAMES}\s*[=:]\s*)(?![\s\"'(\\{{\[])[^\s\"',;\\]+")
"""None begins with what may be long, so that a hostile text takes no longer than another."""


def scrubbed(text: str) -> str:
    """The text without private keys, tokens and values of telling names."""
    for pattern, kept in (
        (_PRIVATE_KEY, HIDDEN),
        (_JWT, HIDDEN),
        (_BEARER, rf"\1\2{HIDDEN}"),
        (_PAIR, rf"\g<1>{HIDDEN}"),
        (_WORD, rf"\g<1>{HIDDEN}"),
    ):
        text = pattern.sub(kept, text)
    return text


def trimmed(obj: Object) -> Object:
    """An object of any kind without its history, and without images that a node has."""
    metadata = {k: v for k, v in obj["metadata"].items() if k != "managedFields"}
    if annotations := metadata.get("annotations"):
        applied = "kubectl.kubernetes.io/last-applied-configuration"
        metadata["annotations"] = {k: v for k, v in annotations.items() if k != applied}
    kept = obj | {"metadata": metadata}
    if "images" in (obj.get("status") or {}):
        kept["status"] = {k: v for k, v in obj["status"].items() if k != "images"}
    if isinstance(template := (obj.get("spec") or {}).get("template"), dict):
        body = template | {"spec": _pod_spec(template.get("spec") or {}, ARGUMENTS)}
        kept["spec"] = obj["spec"] | {"template": body}
    return kept


def trimmed_pod(obj: Object, *, arguments: bool) -> Object:
    """Of a pod what its NICs depend on, and of our own ones the ``arguments``."""
    kept = trimmed(obj)
    metadata = kept["metadata"]
    annotations = {k: v for k, v in (metadata.get("annotations") or {}).items() if is_ours(k)}
    return kept | {
        "metadata": metadata | {"annotations": annotations},
        "spec": _pod_spec(obj.get("spec") or {}, ARGUMENTS if arguments else ()),
    }


def trimmed_definition(obj: Object) -> Object:
    """Of a CustomResourceDefinition everything but its schemas."""
    versions = [
        {k: v for k, v in version.items() if k != "schema"}
        for version in obj["spec"].get("versions") or ()
    ]
    return trimmed(obj) | {"spec": obj["spec"] | {"versions": versions}}


def is_ours(annotation: str) -> bool:
    """Whether it says something about a pod's NICs."""
    domain = annotation.partition("/")[0] + "/"
    return any(domain.endswith(end) or annotation.startswith(end) for end in OURS)


def has_our_annotations(obj: Object) -> bool:
    """Whether a pod asks for, or has, something of us or of Multus."""
    return any(is_ours(name) for name in obj["metadata"].get("annotations") or ())


def _pod_spec(spec: Mapping[str, Any], more: tuple[str, ...]) -> Object:
    """Environments and volumes may hold anything, and say nothing about NICs."""
    kept = {k: v for k, v in spec.items() if k not in ("volumes", "imagePullSecrets")}
    for key in ("containers", "initContainers", "ephemeralContainers"):
        if key in spec:
            kept[key] = [{k: c[k] for k in (*CONTAINER, *more) if k in c} for c in spec[key] or ()]
    return kept
