"""Plain HTTP to a Kubernetes API, for tests that look at the very answers."""

from __future__ import annotations

import contextlib
import http.client
import itertools
import json
import ssl
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

JSON = "application/json"
MERGE = "application/merge-patch+json"
STRATEGIC = "application/strategic-merge-patch+json"
JSON_PATCH = "application/json-patch+json"
APPLY = "application/apply-patch+yaml"
TABLE = "application/json;as=Table;v=v1;g=meta.k8s.io,application/json"
WATCH_SECONDS = 10
"""How long an event is waited for before the test fails."""

_unique = itertools.count(1)


def unique(prefix: str) -> str:
    """A name that no other test of this process uses."""
    return f"{prefix}-{next(_unique)}"


@dataclass(frozen=True)
class Answer:
    """Status code, headers and the decoded body."""

    code: int
    headers: dict[str, str]
    body: Any

    @property
    def reason(self) -> str:
        return str(self.body.get("reason", ""))

    @property
    def message(self) -> str:
        return str(self.body.get("message", ""))

    @property
    def causes(self) -> list[tuple[str, str]]:
        """(field, reason) of each cause, sorted: their order is no part of the contract."""
        found = (self.body.get("details") or {}).get("causes") or []
        return sorted((cause.get("field", ""), cause["reason"]) for cause in found)


@dataclass
class Api:
    """One API server. Paths start with ``/api``; query parameters are keywords."""

    url: str
    token: str = ""
    connection: http.client.HTTPConnection = field(init=False)

    def __post_init__(self) -> None:
        self.connection = self._connect()

    @classmethod
    def from_kubeconfig(cls, path: Path) -> Api:
        document = json.loads(path.read_text())
        user = document["users"][0]["user"]
        return cls(document["clusters"][0]["cluster"]["server"], user.get("token", ""))

    def _connect(self) -> http.client.HTTPConnection:
        parts = urlsplit(self.url)
        if parts.scheme == "http":
            return http.client.HTTPConnection(parts.netloc, timeout=WATCH_SECONDS)
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        return http.client.HTTPSConnection(parts.netloc, timeout=WATCH_SECONDS, context=context)

    def _headers(self, content_type: str, accept: str) -> dict[str, str]:
        headers = {"Accept": accept, "User-Agent": "contract/1"}
        if content_type:
            headers["Content-Type"] = content_type
        if self.token:
            headers["Authorization"] = f"Bearer {self.token}"
        return headers

    def request(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        content_type: str = "",
        accept: str = JSON,
        **query: str | int,
    ) -> Answer:
        target = path + ("?" + urlencode(query) if query else "")
        data = body if isinstance(body, bytes | None) else json.dumps(body).encode()
        kind = content_type or (JSON if data is not None else "")
        self.connection.request(method, target, data, self._headers(kind, accept))
        answer = self.connection.getresponse()
        text = answer.read()
        decoded = json.loads(text) if text[:1] in (b"{", b"[") else text.decode()
        return Answer(answer.status, dict(answer.getheaders()), decoded)

    def get(self, path: str, **options: Any) -> Answer:
        return self.request("GET", path, **options)

    def create(self, path: str, body: Any, **options: Any) -> Answer:
        return self.request("POST", path, body, **options)

    def put(self, path: str, body: Any, **options: Any) -> Answer:
        return self.request("PUT", path, body, **options)

    def patch(self, path: str, body: Any, content_type: str = MERGE, **options: Any) -> Answer:
        return self.request("PATCH", path, body, content_type=content_type, **options)

    def delete(self, path: str, body: Any = None, **options: Any) -> Answer:
        return self.request("DELETE", path, body, **options)

    def must(self, answer: Answer, *codes: int) -> Any:
        """The body of an answer that has to be a success."""
        assert answer.code in (codes or (200, 201)), answer
        return answer.body

    @contextlib.contextmanager
    def watch(self, path: str, *, accept: str = JSON, **query: str | int) -> Iterator[Events]:
        """The events of a watch, which is open when the block begins."""
        connection = self._connect()
        target = f"{path}?{urlencode({'watch': 1, **query})}"
        connection.request("GET", target, headers=self._headers("", accept))
        answer = connection.getresponse()
        assert answer.status == 200, answer.read()
        try:
            yield Events(answer)
        finally:
            connection.close()


@dataclass
class Events:
    """A watch's events, one by one."""

    answer: http.client.HTTPResponse

    def next(self) -> tuple[str, Any]:
        """(type, object) of the next event; fails when none comes in time."""
        line = self.answer.readline()
        assert line, "the watch ended"
        event = json.loads(line)
        return event["type"], event["object"]

    def take(self, count: int) -> list[tuple[str, str]]:
        """(type, name) of the next events."""
        events = (self.next() for _ in range(count))
        return [(kind, obj["metadata"]["name"]) for kind, obj in events]

    def rest(self) -> list[tuple[str, Any]]:
        """Everything until the server ends the watch."""
        events = (json.loads(line) for line in self.answer)
        return [(event["type"], event["object"]) for event in events]


def eventually(holds: Callable[[], bool]) -> None:
    """Ask again until it holds; fails when it does not for long."""
    end = time.monotonic() + 20
    while not holds():
        assert time.monotonic() < end, "it never held"
        time.sleep(0.02)


class Kubelet:
    """Stands in for the kubelets: pods on nodes run and go as soon as it is asked to look."""

    def __init__(self, client: Api, core: str) -> None:
        self._client, self._core = client, core
        self._addresses = itertools.count(1)

    def look(self) -> list[dict[str, Any]]:
        """The pods after one round."""
        for pod in self._pods():
            path = f"{self._core}/pods/{pod['metadata']['name']}"
            if not pod["spec"].get("nodeName"):
                continue
            if pod["metadata"].get("deletionTimestamp"):
                self._client.delete(path, {"gracePeriodSeconds": 0})
            elif pod["status"]["phase"] == "Pending":
                self._client.patch(f"{path}/status", {"status": self._running()})
        return self._pods()

    def _pods(self) -> list[dict[str, Any]]:
        answer = self._client.must(self._client.get(f"{self._core}/pods"))
        found: list[dict[str, Any]] = answer["items"]
        return found

    def _running(self) -> dict[str, Any]:
        address = f"10.233.99.{next(self._addresses)}"
        ready = {"type": "Ready", "status": "True", "lastTransitionTime": "2026-01-01T00:00:00Z"}
        return {
            "phase": "Running",
            "podIP": address,
            "podIPs": [{"ip": address}],
            "conditions": [ready],
        }
