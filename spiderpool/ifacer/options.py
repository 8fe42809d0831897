"""The text of bond options, ``miimon=100;lacp_rate=fast``, as settings."""

from __future__ import annotations

import re
from collections.abc import Iterator

from spiderpool.errors import BadInput
from spiderpool.netlink.bonding import OPTIONS, BondSetting, BondValue, Form, Option
from spiderpool.types.address import Family, family_of, parse_address

_ALIASES = {"up_delay": "updelay", "down_delay": "downdelay"}
_SWITCHES = {"false": 0, "true": 1}
_MAC = re.compile(r"[0-9a-f]{2}(:[0-9a-f]{2}){5}")


def settings_of(text: str, where: str) -> tuple[BondSetting, ...]:
    """The settings in the order in which they are written.

    Raises:
        BadInput: an item is no ``key=value``, the key is unknown, or the value is no value
            of it.
    """
    found: dict[str, BondValue] = {}
    for name, value in _items(text, where):
        if name in found:
            raise BadInput(where, f'bond option "{name}" is given twice', "give it once")
        found[name] = _value(name, value, where)
    return tuple(found.items())


def _items(text: str, where: str) -> Iterator[tuple[str, str]]:
    for item in filter(None, (part.strip() for part in text.split(";"))):
        key, separator, value = (part.strip() for part in item.partition("="))
        if not separator:
            raise BadInput(where, f'bond option "{item}" has no "="', "write key=value;key=value")
        name = _ALIASES.get(key, key)
        if name == "active_slave":
            remedy = "use primary: it names the member to prefer"
            raise BadInput(where, "active_slave is for a bond that runs", remedy)
        if name == "mode":
            raise BadInput(where, "mode is a field of its own", "write bond.mode")
        if name not in OPTIONS:
            known = ", ".join(each for each in OPTIONS if each != "mode")
            raise BadInput(where, f'bond option "{key}" is unknown', f"use {known}")
        yield name, value


def _value(name: str, text: str, where: str) -> BondValue:
    option = OPTIONS[name]
    match option.form:
        case Form.LINK:
            return text
        case Form.MAC if _MAC.fullmatch(text.lower()):
            return text.lower()
        case Form.MAC:
            raise BadInput(
                where, f'bond option {name} "{text}" is no MAC', "write 02:00:00:00:00:01"
            )
        case Form.ADDRESSES:
            parts = text.strip("[]").split(",")
            targets = tuple(parse_address(part.strip(" \"'"), where) for part in parts)
            if any(family_of(each) is not Family.V4 for each in targets):
                raise BadInput(where, f"bond option {name} takes IPv4 addresses")
            return targets
    return _number(name, option, text, where)


def _number(name: str, option: Option, text: str, where: str) -> int:
    """A word of the option, or its number."""
    if text in option.words:
        return option.words.index(text)
    if option.words == ("off", "on") and text in _SWITCHES:
        return _SWITCHES[text]
    size = option.form.value
    assert isinstance(size, int)
    most = len(option.words) - 1 if option.words else (1 << 8 * size) - 1
    if text.isascii() and text.isdigit() and int(text) <= most:
        return int(text)
    if option.words:
        known = f"{', '.join(option.words[:-1])} or {option.words[-1]}"
        raise BadInput(where, f'bond option {name} "{text}" is unknown: {known}')
    raise BadInput(where, f'bond option {name} "{text}" is no number from 0 to {most}')
