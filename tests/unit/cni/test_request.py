"""CNI calls: what each needs, and the code of the specification for what is wrong."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spiderpool.cni.error import error_object
from spiderpool.cni.request import Attachment, is_link_name, parse_request, spoken_version
from spiderpool.errors import BadInput, CniCode, CniError, SpiderpoolError
from spiderpool.types.modes import CniCommand
from spiderpool.types.names import ContainerID, IfName

ENV = {
    "CNI_COMMAND": "ADD",
    "CNI_CONTAINERID": "c0ffee",
    "CNI_NETNS": "/var/run/netns/p",
    "CNI_IFNAME": "net1",
    "CNI_ARGS": "IgnoreUnknown=1;K8S_POD_NAMESPACE=web;K8S_POD_NAME=nginx;K8S_POD_UID=u-1",
    "SPIDERPOOL_PLUGIN": "coordinator",
}
NETCONF: dict[str, Any] = {"cniVersion": "1.1.0", "name": "macvlan-ens192", "type": "coordinator"}
RESULT = {"interfaces": [{"name": "net1"}], "ips": [{"address": "10.6.0.2/16", "interface": 0}]}


def parse(env: dict[str, str] | None = None, config: dict[str, Any] | None = None) -> Any:
    return parse_request(ENV | (env or {}), json.dumps(NETCONF | (config or {})).encode())


def test_an_add() -> None:
    request = parse(config={"prevResult": RESULT})
    assert request.command is CniCommand.ADD
    assert (request.plugin, request.container_id) == ("coordinator", "c0ffee")
    assert (request.netns, request.ifname) == ("/var/run/netns/p", "net1")
    assert (request.pod_namespace, request.pod_name, request.pod_uid) == ("web", "nginx", "u-1")
    assert request.network == "macvlan-ens192"
    assert request.prev_result is not None
    assert request.prev_result.ips[0].address == "10.6.0.2/16"
    assert str(request) == "coordinator ADD net1 of pod web/nginx"


def test_a_del_needs_neither_namespace_nor_result() -> None:
    request = parse({"CNI_COMMAND": "DEL", "CNI_NETNS": ""}, {"prevResult": {"ips": "broken"}})
    assert (request.command, request.netns, request.prev_result) == (CniCommand.DEL, "", None)


def test_gc_names_what_is_valid() -> None:
    valid = [{"containerID": "c1", "ifname": "net1"}, {"containerID": "c2", "ifname": "eth0"}]
    env = {"CNI_COMMAND": "GC", "CNI_CONTAINERID": "", "CNI_IFNAME": "", "CNI_NETNS": ""}
    request = parse(env, {"cni.dev/valid-attachments": valid})
    assert request.valid_attachments == {
        Attachment(ContainerID("c1"), IfName("net1")),
        Attachment(ContainerID("c2"), IfName("eth0")),
    }


@pytest.mark.parametrize("valid", [None, {}, "c1", [{"containerID": "c1"}], [3]])
def test_gc_without_a_proper_list_removes_nothing(valid: Any) -> None:
    with pytest.raises(CniError) as caught:
        parse({"CNI_COMMAND": "GC"}, {"cni.dev/valid-attachments": valid})
    assert caught.value.code is CniCode.INVALID_NETWORK_CONFIG


@pytest.mark.parametrize(
    ("env", "names"),
    [
        ({"CNI_COMMAND": ""}, "CNI_COMMAND"),
        ({"CNI_COMMAND": "add"}, "CNI_COMMAND"),
        ({"CNI_CONTAINERID": "", "CNI_IFNAME": ""}, "CNI_CONTAINERID, CNI_IFNAME"),
        ({"CNI_NETNS": ""}, "CNI_NETNS"),
        ({"CNI_CONTAINERID": "../../etc"}, "CNI_CONTAINERID"),
        ({"CNI_CONTAINERID": "c\n"}, "CNI_CONTAINERID"),
        ({"CNI_IFNAME": "sixteen-letters-"}, "CNI_IFNAME"),
        ({"CNI_IFNAME": "a/b"}, "CNI_IFNAME"),
        ({"CNI_ARGS": "K8S_POD_NAME"}, "CNI_ARGS"),
        ({"CNI_ARGS": "=x"}, "CNI_ARGS"),
        ({"CNI_ARGS": "K8S_POD_NAMESPACE=default;K8S_POD_NAME=../../x"}, "CNI_ARGS"),
        ({"CNI_ARGS": "K8S_POD_NAMESPACE=default;K8S_POD_NAME=Nginx"}, "CNI_ARGS"),
        ({"CNI_ARGS": f"K8S_POD_NAMESPACE=default;K8S_POD_NAME={'a' * 254}"}, "CNI_ARGS"),
        ({"CNI_ARGS": f"K8S_POD_NAMESPACE={'a' * 64};K8S_POD_NAME=nginx"}, "CNI_ARGS"),
    ],
)
def test_bad_variables_are_named_with_code_4(env: dict[str, str], names: str) -> None:
    with pytest.raises(CniError) as caught:
        parse(env)
    assert caught.value.code is CniCode.INVALID_ENVIRONMENT
    assert str(caught.value).startswith(f"{names}: ")


@pytest.mark.parametrize(
    ("command", "version", "allowed"),
    [
        ("ADD", "0.3.0", False),
        ("ADD", "0.3.1", True),
        ("ADD", "2.0.0", False),
        ("ADD", "", False),
        ("CHECK", "0.3.1", False),
        ("CHECK", "0.4.0", True),
        ("STATUS", "1.0.0", False),
        ("STATUS", "1.1.0", True),
        ("GC", "1.0.0", False),
    ],
)
def test_versions(command: str, version: str, allowed: bool) -> None:
    config = {"cniVersion": version, "prevResult": RESULT, "cni.dev/valid-attachments": []}
    if allowed:
        assert parse({"CNI_COMMAND": command}, config).cni_version == version
    else:
        with pytest.raises(CniError) as caught:
            parse({"CNI_COMMAND": command}, config)
        assert caught.value.code is CniCode.INCOMPATIBLE_VERSION


def test_a_del_is_not_refused_for_the_name_of_a_pod() -> None:
    args = "K8S_POD_NAMESPACE=default;K8S_POD_NAME=../../x"
    assert parse({"CNI_COMMAND": "DEL", "CNI_ARGS": args}).pod_name == "../../x"


DEEP = b'{"x":' + b"[" * 32 + b"]" * 32 + b"}"


@pytest.mark.parametrize("stdin", [b"", b"{", b"[]", b'"text"', DEEP, b'{"a":1,"a":2}'])
def test_what_is_no_json_object_is_code_6(stdin: bytes) -> None:
    with pytest.raises(CniError) as caught:
        parse_request(ENV, stdin)
    assert caught.value.code is CniCode.DECODING_FAILURE
    assert spoken_version(stdin) == "1.1.0"


@pytest.mark.parametrize(
    ("env", "stdin", "words"),
    [
        ({}, b" ", "the network configuration on stdin is empty"),
        ({"CNI_COMMAND": ""}, b"{}", "CNI_COMMAND: is missing; use ADD, DEL, CHECK"),
        ({"CNI_COMMAND": "FROB"}, b"{}", "CNI_COMMAND: 'FROB' is no CNI command; use ADD, DEL"),
        ({"CNI_IFNAME": "a/b"}, b"", "'a/b' is no name of a link; use at most 15 letters"),
        ({"CNI_CONTAINERID": "../x"}, b"", "'../x' is no container id; use letters, digits"),
        ({}, b'{"cniVersion":"1.0.0"}', "name: is missing; libcni takes it from the list"),
        ({}, b'{"name":"n"}', "cniVersion '0.1.0' (which its absence means) is not supported"),
        ({}, b'{"ipam":\n{', "not JSON at line 2 column 2: "),
        ({}, DEEP, "is nested more than 32 deep; mend the file or NetworkAttachmentDefinition"),
        ({}, b'{"ipam":{},"ipam":{}}', "key 'ipam' appears twice in one object; remove one"),
    ],
)
def test_a_refusal_says_the_way_out(env: dict[str, str], stdin: bytes, words: str) -> None:
    with pytest.raises(CniError, match=re.escape(words)):
        parse_request(ENV | env, stdin or json.dumps(NETCONF).encode())


@pytest.mark.parametrize("name", [None, "", 5, "a b", "/a"])
def test_a_network_has_a_name(name: Any) -> None:
    with pytest.raises(CniError, match="network configuration: name: ") as caught:
        parse(config={"name": name})
    assert caught.value.code is CniCode.INVALID_NETWORK_CONFIG


def test_check_needs_the_result_that_it_checks() -> None:
    with pytest.raises(CniError, match="prevResult: is missing"):
        parse({"CNI_COMMAND": "CHECK"})


def test_a_result_that_cannot_be_read_is_named() -> None:
    with pytest.raises(
        CniError, match=r"prevResult\.ips\[0\]\.address: 'x' is not an IP"
    ) as caught:
        parse(config={"prevResult": {"ips": [{"address": "x"}]}})
    assert caught.value.code is CniCode.INVALID_NETWORK_CONFIG


def test_the_answer_is_in_the_version_of_the_question() -> None:
    assert spoken_version(b'{"cniVersion": "0.4.0"}') == "0.4.0"
    assert spoken_version(b'{"cniVersion": "9.9.9"}') == "1.1.0"
    assert spoken_version(b'{"cniVersion": ["0.4.0"]}') == "1.1.0"


@given(st.dictionaries(st.sampled_from(sorted(ENV)), st.text(max_size=20)), st.binary(max_size=60))
def test_nothing_but_an_error_object_comes_of_nonsense(env: dict[str, str], stdin: bytes) -> None:
    try:
        parse_request(env, stdin)
    except SpiderpoolError as exc:
        assert 1 <= error_object(exc, "1.0.0")["code"] <= 11


_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=10,
)


@given(st.sampled_from(["ADD", "DEL", "CHECK", "GC", "STATUS"]), _json, _json)
def test_odd_results_and_lists_end_in_code_7(command: str, previous: Any, valid: Any) -> None:
    config = {"prevResult": previous, "cni.dev/valid-attachments": valid}
    try:
        parse({"CNI_COMMAND": command}, config)
    except CniError as exc:
        assert exc.code is CniCode.INVALID_NETWORK_CONFIG


def test_error_objects() -> None:
    bad = error_object(BadInput("annotation a", "is wrong", "mend it"), "0.3.1")
    assert bad == {"cniVersion": "0.3.1", "code": 7, "msg": "annotation a: is wrong; mend it"}
    long = error_object(CniError(CniCode.CHECK_FAILED, "differs", "rule a\nrule b"), "1.0.0")
    assert long == {
        "cniVersion": "1.0.0",
        "code": 102,
        "msg": "differs",
        "details": "rule a\nrule b",
    }


@pytest.mark.parametrize(
    ("name", "valid"),
    [("eth0", True), ("a" * 15, True), ("é" * 8, False), (".", False), ("", False), ("a b", False)],
)
def test_link_names(name: str, valid: bool) -> None:
    assert is_link_name(name) is valid
