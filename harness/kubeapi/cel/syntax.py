"""Text to expression trees."""

from __future__ import annotations

import functools
import re
from dataclasses import dataclass
from typing import Any


class BadExpression(ValueError):
    """The text is no expression; says where."""


@dataclass(frozen=True, slots=True)
class Literal:
    value: Any


@dataclass(frozen=True, slots=True)
class Name:
    name: str


@dataclass(frozen=True, slots=True)
class Select:
    """``target.field``."""

    target: Node
    field: str


@dataclass(frozen=True, slots=True)
class Call:
    """A function or a method (then ``target`` is given). Operators are functions like ``_+_``."""

    name: str
    arguments: tuple[Node, ...]
    target: Node | None = None


@dataclass(frozen=True, slots=True)
class ListOf:
    items: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class MapOf:
    entries: tuple[tuple[Node, Node], ...]


Node = Literal | Name | Select | Call | ListOf | MapOf

_TOKEN = re.compile(
    r"""\s+ | //[^\n]*
    | (?P<float>\d+\.\d*(?:[eE][+-]?\d+)?|\.\d+(?:[eE][+-]?\d+)?|\d+[eE][+-]?\d+)
    | (?P<int>0x[0-9a-fA-F]+|\d+)u?
    | (?P<text>[rR]?(?:'''(?:\\.|[^\\])*?''' | \"\"\"(?:\\.|[^\\])*?\"\"\"
                     | '(?:\\.|[^'\\\n])*' | "(?:\\.|[^"\\\n])*"))
    | (?P<name>[A-Za-z_][A-Za-z0-9_]*)
    | (?P<op>\|\||&&|==|!=|<=|>=|[-+*/%!<>?:.,()\[\]{}])
    """,
    re.VERBOSE | re.DOTALL,
)
_BINARY = (("||",), ("&&",), ("==", "!=", "<", "<=", ">", ">=", "in"), ("+", "-"), ("*", "/", "%"))
_CONSTANTS = {"true": True, "false": False, "null": None}
_ESCAPES = {"n": "\n", "r": "\r", "t": "\t", "a": "\a", "b": "\b", "f": "\f", "v": "\v"}


@functools.cache
def parse(text: str) -> Node:
    """Raises BadExpression."""
    parser = _Parser(_tokens(text))
    node = parser.ternary()
    parser.expect("end", "")
    return node


def _tokens(text: str) -> list[tuple[str, str]]:
    tokens, position = [], 0
    while position < len(text):
        found = _TOKEN.match(text, position)
        if not found:
            raise BadExpression(f"Syntax error: token recognition error at {text[position:]!r}")
        if found.lastgroup:
            tokens.append((found.lastgroup, found[found.lastgroup]))
        position = found.end()
    return [*tokens, ("end", "")]


class _Parser:
    def __init__(self, tokens: list[tuple[str, str]]) -> None:
        self._tokens = tokens
        self._at = 0

    def ternary(self) -> Node:
        condition = self._binary(0)
        if not self._accept("?"):
            return condition
        first = self._binary(0)
        self.expect("op", ":")
        return Call("_?_:_", (condition, first, self.ternary()))

    def _binary(self, level: int) -> Node:
        if level == len(_BINARY):
            return self._unary()
        node = self._binary(level + 1)
        while self._tokens[self._at][1] in _BINARY[level] and self._tokens[self._at][0] != "text":
            operator = self._next()[1]
            node = Call(f"_{operator}_", (node, self._binary(level + 1)))
        return node

    def _unary(self) -> Node:
        for operator in ("!", "-"):
            if self._accept(operator):
                return Call(f"{operator}_", (self._unary(),))
        return self._member()

    def _member(self) -> Node:
        node = self._primary()
        while True:
            if self._accept("."):
                name = self.expect("name")
                if self._accept("("):
                    node = Call(name, self._list(")"), node)
                else:
                    node = Select(node, name)
            elif self._accept("["):
                node = Call("_[_]", (node, self.ternary()))
                self.expect("op", "]")
            else:
                return node

    def _primary(self) -> Node:
        kind, text = self._next()
        if kind == "int":
            return Literal(int(text, 0))
        if kind == "float":
            return Literal(float(text))
        if kind == "text":
            return Literal(_unquoted(text))
        if kind == "name":
            if text in _CONSTANTS:
                return Literal(_CONSTANTS[text])
            return Call(text, self._list(")")) if self._accept("(") else Name(text)
        if text == "(":
            node = self.ternary()
            self.expect("op", ")")
            return node
        if text == "[":
            return ListOf(self._list("]"))
        if text == "{":
            return self._map()
        raise BadExpression(f"Syntax error: mismatched input {text or '<EOF>'!r}")

    def _list(self, end: str) -> tuple[Node, ...]:
        items = []
        while not self._accept(end):
            items.append(self.ternary())
            if not self._accept(","):
                self.expect("op", end)
                break
        return tuple(items)

    def _map(self) -> Node:
        entries = []
        while not self._accept("}"):
            key = self.ternary()
            self.expect("op", ":")
            entries.append((key, self.ternary()))
            if not self._accept(","):
                self.expect("op", "}")
                break
        return MapOf(tuple(entries))

    def _next(self) -> tuple[str, str]:
        token = self._tokens[self._at]
        self._at += 1
        return token

    def _accept(self, operator: str) -> bool:
        if self._tokens[self._at] == ("op", operator):
            self._at += 1
            return True
        return False

    def expect(self, kind: str, text: str | None = None) -> str:
        found = self._next()
        if found[0] != kind or (text is not None and found[1] != text):
            raise BadExpression(f"Syntax error: mismatched input {found[1] or '<EOF>'!r}")
        return found[1]


def _unquoted(token: str) -> str:
    raw = token[0] in "rR"
    body = token[1:] if raw else token
    width = 3 if body[:3] in ("'''", '"""') else 1
    inner = body[width:-width]
    if raw:
        return inner
    pattern = r"\\(x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|[0-3][0-7]{2}|.)"
    return re.sub(pattern, _unescaped, inner, flags=re.DOTALL)


def _unescaped(found: re.Match[str]) -> str:
    code = found[1]
    if code[0] in "xuU" and len(code) > 1:
        return chr(int(code[1:], 16))
    if code.isdigit() and len(code) == 3:
        return chr(int(code, 8))
    return _ESCAPES.get(code, code)
