"""Admission webhooks: who is asked what, and what the answers do."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from rest import Api, eventually, unique
from webhook_server import Answer, WebhookServer, allowed, patched, refused, webhook_server

pytestmark = pytest.mark.binary("openssl")

CONFIGURATIONS = "/apis/admissionregistration.k8s.io/v1"
Install = Callable[..., None]


@pytest.fixture(scope="module")
def hooks(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WebhookServer]:
    with webhook_server(tmp_path_factory.mktemp("hooks")) as server:
        yield server


@pytest.fixture
def install(client: Api, hooks: WebhookServer, core: str, namespace: str) -> Iterator[Install]:
    """Installs a webhook for ConfigMaps of the test's namespace, and waits until it is asked."""
    installed = []

    def add(answer: Answer, *, mutating: bool = False, **webhook: Any) -> None:
        name = unique("hook")
        kind = "MutatingWebhookConfiguration" if mutating else "ValidatingWebhookConfiguration"
        rule = {
            "apiGroups": [""],
            "apiVersions": ["v1"],
            "operations": ["CREATE", "UPDATE", "DELETE"],
            "resources": ["configmaps"],
        }
        mine = {"matchLabels": {"kubernetes.io/metadata.name": namespace}}
        body = {
            "metadata": {"name": name},
            "webhooks": [
                {
                    "name": f"{name}.example.com",
                    "admissionReviewVersions": ["v1"],
                    "sideEffects": "None",
                    "clientConfig": hooks.client_config(f"/{name}", answer),
                    "rules": [rule],
                    "namespaceSelector": mine,
                    "timeoutSeconds": 5,
                    **webhook,
                }
            ],
        }
        path = f"{CONFIGURATIONS}/{kind.lower()}s"
        client.must(client.create(path, body))
        installed.append(f"{path}/{name}")
        if webhook.get("rules") or webhook.get("objectSelector"):
            return
        before = len(hooks.requests)

        def asked() -> bool:
            probe = {"metadata": {"name": "probe"}}
            client.create(f"{core}/configmaps", probe, dryRun="All")
            return len(hooks.requests) > before

        if "clientConfig" not in webhook and "matchConditions" not in webhook:
            eventually(asked)

    yield add
    for path in installed:
        client.must(client.delete(path))


def config_map(name: str = "a", **data: str) -> dict[str, Any]:
    return {"metadata": {"name": name}, "data": data}


def test_mutating_webhook_changes_the_object(client: Api, core: str, install: Install) -> None:
    install(patched({"op": "add", "path": "/data/added", "value": "1"}), mutating=True)
    made = client.must(client.create(f"{core}/configmaps", config_map(own="2")))
    assert made["data"] == {"own": "2", "added": "1"}
    assert client.get(f"{core}/configmaps/a").body["data"] == made["data"]


def test_webhooks_see_the_whole_request(
    client: Api, core: str, namespace: str, install: Install, hooks: WebhookServer
) -> None:
    install(allowed())
    hooks.requests.clear()
    client.must(client.create(f"{core}/configmaps", config_map(k="1")))
    change = {"data": {"k": "2"}}
    client.must(client.patch(f"{core}/configmaps/a", change, fieldManager="me"))
    client.must(client.delete(f"{core}/configmaps/a"))
    created, updated, deleted = hooks.requests
    assert [each["operation"] for each in hooks.requests] == ["CREATE", "UPDATE", "DELETE"]
    assert created["kind"] == {"group": "", "version": "v1", "kind": "ConfigMap"}
    assert created["resource"] == {"group": "", "version": "v1", "resource": "configmaps"}
    assert (created["namespace"], created["name"]) == (namespace, "a")
    assert (created["object"]["data"], created["oldObject"]) == ({"k": "1"}, None)
    assert updated["oldObject"]["data"] == {"k": "1"}
    assert updated["object"]["data"] == {"k": "2"}
    assert (deleted["object"], deleted["oldObject"]["data"]) == (None, {"k": "2"})
    assert created["dryRun"] is False
    named = [each["options"].get("fieldManager") for each in hooks.requests]
    assert named == [None, "me", None]


def test_validating_webhook_refuses(client: Api, core: str, install: Install) -> None:
    install(refused(message="not like this", code=422, reason="Invalid"))
    answer = client.create(f"{core}/configmaps", config_map())
    assert (answer.code, answer.reason) == (422, "Invalid")
    assert answer.message.startswith('admission webhook "hook-')
    assert answer.message.endswith('.example.com" denied the request: not like this')
    assert client.get(f"{core}/configmaps/a").code == 404


def test_refusal_without_reason(client: Api, core: str, install: Install) -> None:
    install(refused())
    answer = client.create(f"{core}/configmaps", config_map())
    assert answer.code == 400
    assert answer.message.endswith("denied the request without explanation")


def test_warnings_reach_the_client(client: Api, core: str, install: Install) -> None:
    install(allowed(warnings=["old field"]))
    answer = client.create(f"{core}/configmaps", config_map())
    assert answer.headers["Warning"] == '299 - "old field"'


def test_validators_see_what_mutators_made(
    client: Api, core: str, install: Install, hooks: WebhookServer
) -> None:
    install(patched({"op": "add", "path": "/data/added", "value": "1"}), mutating=True)
    install(allowed())
    hooks.requests.clear()
    client.must(client.create(f"{core}/configmaps", config_map(own="2")))
    assert [each["object"]["data"] for each in hooks.requests] == [
        {"own": "2"},
        {"own": "2", "added": "1"},
    ]


def test_deletion_can_be_refused(client: Api, core: str, install: Install) -> None:
    client.must(client.create(f"{core}/configmaps", config_map()))
    install(lambda request: refused(message="keep")(request) if request["operation"] == "DELETE"
            else allowed()(request))  # fmt: skip
    answer = client.delete(f"{core}/configmaps/a")
    assert (answer.code, answer.message.endswith("denied the request: keep")) == (400, True)
    assert client.get(f"{core}/configmaps/a").code == 200


def test_broken_webhook_stops_or_is_ignored(client: Api, core: str, install: Install) -> None:
    install(lambda _: None, failurePolicy="Ignore")
    assert client.create(f"{core}/configmaps", config_map()).code == 201
    install(lambda _: None)
    answer = client.create(f"{core}/configmaps", config_map("b"))
    assert (answer.code, answer.reason) == (500, "InternalError")
    assert answer.message.startswith('Internal error occurred: failed calling webhook "hook-')


def test_answer_to_another_question_is_none(client: Api, core: str, install: Install) -> None:
    install(lambda _: {"uid": "another", "allowed": True})
    answer = client.create(f"{core}/configmaps", config_map())
    assert (answer.code, answer.reason) == (500, "InternalError")
    assert "expected response.uid=" in answer.message


def test_objects_are_selected_by_label(
    client: Api, core: str, install: Install, hooks: WebhookServer
) -> None:
    install(refused(message="no"), objectSelector={"matchLabels": {"watched": "yes"}})
    watched = {"metadata": {"name": "w", "labels": {"watched": "yes"}}}
    eventually(lambda: client.create(f"{core}/configmaps", watched, dryRun="All").code == 400)
    assert client.create(f"{core}/configmaps", config_map()).code == 201


def test_conditions_in_cel(client: Api, core: str, install: Install) -> None:
    condition = {"name": "secret-ones", "expression": "object.data['kind'] == 'secret'"}
    install(refused(message="no"), matchConditions=[condition])
    secret = config_map("s", kind="secret")
    eventually(lambda: client.create(f"{core}/configmaps", secret, dryRun="All").code == 400)
    assert client.create(f"{core}/configmaps", config_map(kind="open")).code == 201


def test_subresources_are_asked_for_by_name(
    client: Api, core: str, install: Install, hooks: WebhookServer
) -> None:
    rule = {
        "apiGroups": [""],
        "apiVersions": ["v1"],
        "operations": ["UPDATE"],
        "resources": ["pods/status"],
    }
    install(refused(message="no"), rules=[rule])
    spec = {"containers": [{"name": "c", "image": "i"}]}
    client.must(client.create(f"{core}/pods", {"metadata": {"name": "p"}, "spec": spec}))
    body = {"status": {"phase": "Running"}}
    eventually(lambda: client.patch(f"{core}/pods/p/status", body, dryRun="All").code == 400)
    labels = {"metadata": {"labels": {"a": "b"}}}
    assert client.patch(f"{core}/pods/p", labels).code == 200


def test_untrusted_certificate(client: Api, core: str, install: Install, hooks: Any) -> None:
    config = hooks.client_config("/untrusted", allowed())
    install(allowed(), clientConfig={"url": config["url"]})
    eventually(lambda: client.create(f"{core}/configmaps", config_map(), dryRun="All").code == 500)
    answer = client.create(f"{core}/configmaps", config_map())
    assert "certificate" in answer.message


def test_service_without_endpoints(client: Api, core: str, install: Install, hooks: Any) -> None:
    service = {"name": "none", "namespace": "default", "path": "/x"}
    install(allowed(), clientConfig={"service": service, "caBundle": hooks.authority})
    eventually(lambda: client.create(f"{core}/configmaps", config_map(), dryRun="All").code == 500)
    answer = client.create(f"{core}/configmaps", config_map())
    assert 'service "none" not found' in answer.message


def test_configurations_get_defaults(client: Api, hooks: WebhookServer) -> None:
    webhook = {
        "name": "defaults.example.com",
        "admissionReviewVersions": ["v1"],
        "sideEffects": "None",
        "clientConfig": hooks.client_config("/defaults", allowed()),
        "rules": [
            {"apiGroups": ["x.io"], "apiVersions": ["v1"], "operations": ["CREATE"],
             "resources": ["things"]}
        ],
    }  # fmt: skip
    path = f"{CONFIGURATIONS}/validatingwebhookconfigurations"
    name = unique("defaults")
    body = {"metadata": {"name": name}, "webhooks": [webhook]}
    made = client.must(client.create(path, body))["webhooks"][0]
    assert made["failurePolicy"] == "Fail"
    assert made["matchPolicy"] == "Equivalent"
    assert (made["timeoutSeconds"], made["rules"][0]["scope"]) == (10, "*")
    assert (made["namespaceSelector"], made["objectSelector"]) == ({}, {})
    client.must(client.delete(f"{path}/{name}"))
