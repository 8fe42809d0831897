"""An HTTPS server that answers admission reviews as its tests wish."""

from __future__ import annotations

import base64
import contextlib
import json
import ssl
import subprocess
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

Answer = Callable[[dict[str, Any]], dict[str, Any] | None]


@dataclass
class WebhookServer:
    """``answers`` has what is said at each path; ``requests`` what was asked."""

    url: str
    authority: str
    answers: dict[str, Answer] = field(default_factory=dict)
    requests: list[dict[str, Any]] = field(default_factory=list)

    def client_config(self, path: str, answer: Answer) -> dict[str, str]:
        """Answer reviews at ``path`` from now on."""
        self.answers[path] = answer
        return {"url": f"{self.url}{path}", "caBundle": self.authority}


def allowed(**more: Any) -> Answer:
    return lambda request: {"uid": request["uid"], "allowed": True, **more}


def patched(*operations: dict[str, Any]) -> Answer:
    patch = base64.b64encode(json.dumps(operations).encode()).decode()
    return allowed(patch=patch, patchType="JSONPatch")


def refused(**status: Any) -> Answer:
    return lambda request: {"uid": request["uid"], "allowed": False, "status": status}


@contextlib.contextmanager
def webhook_server(folder: Path) -> Iterator[WebhookServer]:
    certificate, key = folder / "cert.pem", folder / "key.pem"
    names = "subjectAltName=IP:127.0.0.1,DNS:hook.default.svc"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1",
         "-nodes", "-days", "2", "-subj", "/CN=webhook", "-addext", names,
         "-keyout", str(key), "-out", str(certificate)],
        check=True, capture_output=True,
    )  # fmt: skip
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    authority = base64.b64encode(certificate.read_bytes()).decode()
    hooks = WebhookServer(f"https://127.0.0.1:{server.server_port}", authority)
    _Handler.hooks = hooks
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield hooks
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class _Handler(BaseHTTPRequestHandler):
    hooks: WebhookServer

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        request = json.loads(body)["request"]
        self.hooks.requests.append(request)
        response = self.hooks.answers[self.path.partition("?")[0]](request)
        answer = {"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview"}
        text = json.dumps({**answer, "response": response}).encode()
        self.send_response(200 if response is not None else 500)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *_: object) -> None:
        """Be silent."""
