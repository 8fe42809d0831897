"""One call of a CNI plugin, from its environment and stdin to a checked value."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import orjson

from spiderpool.cni.result import CniResult, result_from_json
from spiderpool.cni.versions import FIRST_VERSION, NEWEST, SUPPORTED, has_command
from spiderpool.errors import BadInput, CniCode, CniError
from spiderpool.types.json_text import read_json
from spiderpool.types.modes import CniCommand
from spiderpool.types.names import ContainerID, IfName, PodUID

VALID_ATTACHMENTS = "cni.dev/valid-attachments"

NO_CONTAINER = ContainerID("")
NO_LINK = IfName("")

NETWORK_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*")
_LETTERS = "use letters, digits, '_', '.' and '-', the first a letter or digit"
_POD_NAME = re.compile(r"[a-z0-9]([-.a-z0-9]*[a-z0-9])?")
_POD_IS_ASKED_FOR = (CniCommand.ADD, CniCommand.CHECK)
_MEND = "mend the file or NetworkAttachmentDefinition that it comes from"
_NEEDED = {
    CniCommand.ADD: ("CNI_CONTAINERID", "CNI_NETNS", "CNI_IFNAME"),
    CniCommand.CHECK: ("CNI_CONTAINERID", "CNI_NETNS", "CNI_IFNAME"),
    CniCommand.DEL: ("CNI_CONTAINERID", "CNI_IFNAME"),
}


class Attachment(NamedTuple):
    """What GC calls an attachment: a sandbox and the name of a link in it."""

    container_id: ContainerID
    ifname: IfName


@dataclass(frozen=True, slots=True)
class CniRequest:
    """A call as CNI spec 1.1.0, section 2 defines it; ``plugin`` is the executable's name.

    ``netns`` is the path as the runtime wrote it, for results only: work is done on the
    descriptor that came with the request. ``valid_attachments`` is for GC.
    """

    command: CniCommand
    plugin: str
    container_id: ContainerID = NO_CONTAINER
    netns: str = ""
    ifname: IfName = NO_LINK
    args: Mapping[str, str] = field(default_factory=dict)
    config: Mapping[str, Any] = field(default_factory=dict)
    cni_version: str = NEWEST
    prev_result: CniResult | None = None
    valid_attachments: frozenset[Attachment] = frozenset()

    @property
    def network(self) -> str:
        """The network's name, part of the key of an attachment."""
        return str(self.config["name"])

    @property
    def pod_name(self) -> str:
        """The pod's name; empty when the runtime is not kubelet's."""
        return self.args.get("K8S_POD_NAME", "")

    @property
    def pod_namespace(self) -> str:
        return self.args.get("K8S_POD_NAMESPACE", "")

    @property
    def pod_uid(self) -> PodUID:
        """The pod's UID; empty from runtimes that do not pass it."""
        return PodUID(self.args.get("K8S_POD_UID", ""))

    def __str__(self) -> str:
        pod = f" of pod {self.pod_namespace}/{self.pod_name}" if self.pod_name else ""
        return f"{self.plugin} {self.command} {self.ifname}{pod}"


def parse_request(env: Mapping[str, str], stdin: bytes) -> CniRequest:
    """Check a call.

    Raises:
        CniError: with the code that the specification gives to what is wrong: 4 for the
            environment (naming the variables), 6 for JSON, 1 for the version, 7 for the
            configuration.
    """
    command = _command(env)
    config = _config(stdin)
    version = _version(config, command)
    _check_names(env, command)
    if not isinstance(config.get("name"), str) or not NETWORK_NAME.fullmatch(config["name"]):
        if config.get("name") is None:
            hint = "libcni takes it from the list: was a plugin's entry passed by itself?"
            raise _invalid("name", f"is missing; {hint}")
        raise _invalid("name", f"{config['name']!r} is no name of a network; {_LETTERS}")
    args = _arguments(env.get("CNI_ARGS", ""))
    if command in _POD_IS_ASKED_FOR:
        _check_pod(args)
    return CniRequest(
        command=command,
        plugin=env.get("SPIDERPOOL_PLUGIN", ""),
        container_id=ContainerID(env.get("CNI_CONTAINERID", "")),
        netns=env.get("CNI_NETNS", ""),
        ifname=IfName(env.get("CNI_IFNAME", "")),
        args=args,
        config=config,
        cni_version=version,
        prev_result=_previous(config, command),
        valid_attachments=_attachments(config, command),
    )


def spoken_version(stdin: bytes) -> str:
    """The version to answer in, also when nothing else of the request can be used."""
    try:
        config = orjson.loads(stdin)
    except orjson.JSONDecodeError:
        return NEWEST
    asked = config.get("cniVersion") if isinstance(config, dict) else None
    return asked if asked in SUPPORTED else NEWEST


def _command(env: Mapping[str, str]) -> CniCommand:
    asked = env.get("CNI_COMMAND", "")
    try:
        return CniCommand(asked)
    except ValueError:
        words = f"{asked!r} is no CNI command" if asked else "is missing"
        raise _bad_environment("CNI_COMMAND", f"{words}; use {', '.join(CniCommand)}") from None


def _config(stdin: bytes) -> Mapping[str, Any]:
    if not stdin.strip():
        words = "the network configuration on stdin is empty; container runtimes write it there"
        raise CniError(CniCode.DECODING_FAILURE, words)
    try:
        config = read_json(stdin, "the network configuration on stdin", _MEND)
    except BadInput as exc:
        raise CniError(CniCode.DECODING_FAILURE, str(exc)) from None
    if not isinstance(config, dict):
        words = f"the network configuration on stdin is not a JSON object; {_MEND}"
        raise CniError(CniCode.DECODING_FAILURE, words)
    return config


def _version(config: Mapping[str, Any], command: CniCommand) -> str:
    """An absent version means 0.1.0 (CNI spec, "cniVersion")."""
    version = config.get("cniVersion") or "0.1.0"
    if version not in SUPPORTED:
        absent = "" if config.get("cniVersion") else " (which its absence means)"
        words = f"cniVersion {version!r}{absent} is not supported"
        remedy = f"use one of {', '.join(SUPPORTED)}"
        raise CniError(CniCode.INCOMPATIBLE_VERSION, f"{words}; {remedy}")
    if not has_command(version, command):
        raise CniError(
            CniCode.INCOMPATIBLE_VERSION,
            f"cniVersion {version} has no {command}; use {FIRST_VERSION[command]} or later",
        )
    return str(version)


def _check_names(env: Mapping[str, str], command: CniCommand) -> None:
    needed = _NEEDED.get(command, ())
    if missing := [name for name in needed if not env.get(name)]:
        raise _bad_environment(", ".join(missing), f"needed for {command}, and empty")
    container_id, ifname = env.get("CNI_CONTAINERID", ""), env.get("CNI_IFNAME", "")
    if "CNI_CONTAINERID" in needed and not NETWORK_NAME.fullmatch(container_id):
        problem = f"{container_id!r} is no container id; {_LETTERS}"
        raise _bad_environment("CNI_CONTAINERID", problem)
    if "CNI_IFNAME" in needed and not is_link_name(ifname):
        remedy = "use at most 15 letters, without blanks, '/' and ':'"
        raise _bad_environment("CNI_IFNAME", f"{ifname!r} is no name of a link; {remedy}")


def is_link_name(text: str) -> bool:
    """Whether the kernel and the specification allow ``text`` as the name of a link."""
    return (
        0 < len(text.encode()) <= 15
        and text not in (".", "..")
        and not any(letter in "/:" or letter.isspace() for letter in text)
        and text.isprintable()
    )


def _arguments(text: str) -> Mapping[str, str]:
    """``CNI_ARGS``: ``FOO=BAR;ABC=123``."""
    pairs = [pair.partition("=") for pair in text.split(";") if pair]
    if bad := [key for key, separator, _ in pairs if not separator or not key]:
        raise _bad_environment("CNI_ARGS", f"{bad[0]!r} is not KEY=VALUE")
    return {key: value for key, _, value in pairs}


def _check_pod(args: Mapping[str, str]) -> None:
    """Names that no pod can have are not asked for: that it is not there yet would be untrue."""
    for key, most in (("K8S_POD_NAMESPACE", 63), ("K8S_POD_NAME", 253)):
        name = args.get(key, "")
        if name and not (len(name) <= most and _POD_NAME.fullmatch(name)):
            remedy = f"names have at most {most} lower case letters, digits, '-' and '.'"
            raise _bad_environment("CNI_ARGS", f"{key} {name[:253]!r} is no name; {remedy}")


def _previous(config: Mapping[str, Any], command: CniCommand) -> CniResult | None:
    """``prevResult``; DEL does its best without one that cannot be read."""
    given = config.get("prevResult")
    if given is None:
        if command is CniCommand.CHECK:
            raise _invalid("prevResult", "is missing, and CHECK compares with it")
        return None
    try:
        return result_from_json(given)
    except BadInput as exc:
        if command is CniCommand.DEL:
            return None
        raise CniError(CniCode.INVALID_NETWORK_CONFIG, str(exc)) from None


def _attachments(config: Mapping[str, Any], command: CniCommand) -> frozenset[Attachment]:
    """CNI spec 1.1.0, section 4, "GC": without the list, nothing may be called stale."""
    if command is not CniCommand.GC:
        return frozenset()
    given = config.get(VALID_ATTACHMENTS)
    if not isinstance(given, list):
        raise _invalid(VALID_ATTACHMENTS, "is not a list, so nothing can be called stale")
    found = set()
    for index, item in enumerate(given):
        fields = item if isinstance(item, dict) else {}
        container_id, ifname = fields.get("containerID"), fields.get("ifname")
        if not isinstance(container_id, str) or not isinstance(ifname, str):
            raise _invalid(f"{VALID_ATTACHMENTS}[{index}]", "needs containerID and ifname")
        found.add(Attachment(ContainerID(container_id), IfName(ifname)))
    return frozenset(found)


def _bad_environment(names: str, problem: str) -> CniError:
    return CniError(CniCode.INVALID_ENVIRONMENT, f"{names}: {problem}")


def _invalid(field_path: str, problem: str) -> CniError:
    where = f"network configuration: {field_path}"
    return CniError(CniCode.INVALID_NETWORK_CONFIG, f"{where}: {problem}")
