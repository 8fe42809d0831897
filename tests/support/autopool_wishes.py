"""Annotations of a workload that asks for a pool of its own."""

from __future__ import annotations

import json

P = "ipam.spidernet.io/"
FIVE = {P + "ippool-ip-number": "5"}


def asks(**extra: str) -> dict[str, str]:
    return {P + "subnet": json.dumps({"ipv4": ["s"]}), **extra}
