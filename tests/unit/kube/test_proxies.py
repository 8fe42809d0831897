"""Proxies by environment, as Go's clients find them."""

from __future__ import annotations

import pytest

from spiderpool.kube.proxies import proxy_of

PROXY = "http://proxy:3128"


@pytest.mark.parametrize(
    ("server", "said", "expected"),
    [
        ("https://api:6443", {"HTTPS_PROXY": PROXY}, PROXY),
        ("https://api:6443", {"https_proxy": "proxy:3128"}, PROXY),
        ("https://api:6443", {"HTTP_PROXY": PROXY}, None),
        ("http://api", {"HTTP_PROXY": PROXY}, PROXY),
        ("https://127.0.0.1:6443", {"HTTPS_PROXY": PROXY}, None),
        ("https://[::1]:6443", {"HTTPS_PROXY": PROXY}, None),
        ("https://localhost", {"HTTPS_PROXY": PROXY}, None),
        ("https://10.96.0.1", {"HTTPS_PROXY": PROXY, "NO_PROXY": "a,10.96.0.0/12"}, None),
        ("https://10.96.0.1", {"HTTPS_PROXY": PROXY, "NO_PROXY": "10.0.0.0/12"}, PROXY),
        ("https://10.96.0.1", {"HTTPS_PROXY": PROXY, "no_proxy": "10.96.0.1"}, None),
        ("https://[fd00::1]", {"HTTPS_PROXY": PROXY, "NO_PROXY": "fd00::/64"}, None),
        ("https://[fd00::1]:6443", {"HTTPS_PROXY": PROXY, "NO_PROXY": "[fd00::1]:6443"}, None),
        ("https://[fd00::1]:6443", {"HTTPS_PROXY": PROXY, "NO_PROXY": "[fd00::1]:443"}, PROXY),
        ("https://api.site", {"HTTPS_PROXY": PROXY, "NO_PROXY": "site"}, None),
        ("https://api.site", {"HTTPS_PROXY": PROXY, "NO_PROXY": " .site "}, None),
        ("https://apisite", {"HTTPS_PROXY": PROXY, "NO_PROXY": "site,"}, PROXY),
        ("https://api.site", {"HTTPS_PROXY": PROXY, "NO_PROXY": "api.site:80"}, PROXY),
        ("https://api.site", {"HTTPS_PROXY": PROXY, "NO_PROXY": "api.site:443"}, None),
        ("https://api.site", {"HTTPS_PROXY": PROXY, "NO_PROXY": "*"}, None),
        ("https://api.site", {}, None),
    ],
)
def test_the_proxy_of_a_server(server: str, said: dict[str, str], expected: str | None) -> None:
    assert proxy_of(server, said) == expected
