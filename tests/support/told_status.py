"""Asks ``spiderpoolctl status`` about an installation in which something was broken."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from typing import Any

from installation import Webhook, install

Break = Callable[[Any], Awaitable[Any]]


def told(shell: Any, broken: Break | None = None, webhook: Webhook | None = None) -> Any:
    """Exit status and JSON, after something was broken."""

    async def story(world: Any) -> None:
        await install(world, webhook)
        if broken is not None:
            await broken(world)

    shell.prepare(story)
    status, out, err = shell.ctl("status", "--json")
    assert err == ""
    answer = json.loads(out)
    assert answer["healthy"] is (status == 0)
    return answer


def only(answer: Any, level: str = "problem") -> str:
    """Where, what and how of the one finding, as its line has them."""
    (finding,) = answer["findings"]
    assert finding["level"] == level
    assert answer["healthy"] is (level != "problem")
    return f"{finding['where']}: {finding['text']}; {finding['remedy']}"
