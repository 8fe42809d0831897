"""Expression trees to values.

Values are those of JSON, and ``ipaddress`` objects for IPs and CIDRs. A field that is not
there is an error, which ``&&`` and ``||`` absorb when the other side decides alone.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from harness.kubeapi.cel.functions import FUNCTIONS, EvaluationError
from harness.kubeapi.cel.syntax import Call, ListOf, Literal, MapOf, Name, Node, Select

Variables = Mapping[str, Any]
_COMPREHENSIONS = ("all", "exists", "exists_one", "existsOne", "map", "filter")


def evaluate(node: Node, variables: Variables) -> Any:
    """Raises EvaluationError."""
    if isinstance(node, Literal):
        return node.value
    if isinstance(node, Name):
        if node.name not in variables:
            raise EvaluationError(f"undeclared reference to {node.name!r}")
        return variables[node.name]
    if isinstance(node, Select):
        return _field(evaluate(node.target, variables), node.field)
    if isinstance(node, ListOf):
        return [evaluate(item, variables) for item in node.items]
    if isinstance(node, MapOf):
        return {evaluate(key, variables): evaluate(value, variables) for key, value in node.entries}
    return _call(node, variables)


def _field(value: Any, name: str) -> Any:
    if not isinstance(value, dict):
        raise EvaluationError(f"no such overload: select of {name!r}")
    if name not in value:
        raise EvaluationError(f"no such key: {name}")
    return value[name]


def _call(node: Call, variables: Variables) -> Any:
    if node.name in _LAZY and node.target is None:
        return _LAZY[node.name](node, variables)
    if node.name == "bind" and node.target == Name("cel"):
        return _bind(node, variables)
    if node.name in _COMPREHENSIONS and node.target is not None and len(node.arguments) > 1:
        return _comprehension(node, variables)
    arguments = [evaluate(argument, variables) for argument in node.arguments]
    name = node.name
    if isinstance(node.target, Name) and node.target.name in ("sets", "ip", "math"):
        # A namespace of functions, not a value.
        name = f"{node.target.name}.{name}"
    elif node.target is not None:
        arguments.insert(0, evaluate(node.target, variables))
    function = FUNCTIONS.get(name)
    if function is None:
        raise EvaluationError(f"undeclared reference to {name!r}")
    try:
        return function(*arguments)
    except (TypeError, AttributeError, KeyError, IndexError, ValueError) as error:
        raise EvaluationError(f"{name}: {error}") from None


def _ternary(node: Call, variables: Variables) -> Any:
    condition, yes, no = node.arguments
    return evaluate(yes if evaluate(condition, variables) else no, variables)


def _logical(decisive: bool) -> Callable[[Call, Variables], bool]:
    """``||`` is decided by true, ``&&`` by false, on either side."""

    def combined(node: Call, variables: Variables) -> bool:
        error = None
        for argument in node.arguments:
            try:
                value = evaluate(argument, variables)
            except EvaluationError as failed:
                error = failed
                continue
            if not isinstance(value, bool):
                error = EvaluationError(f"{node.name}: no such overload")
            elif value is decisive:
                return decisive
        if error is not None:
            raise error
        return not decisive

    return combined


def _has(node: Call, variables: Variables) -> bool:
    (selection,) = node.arguments
    if not isinstance(selection, Select):
        raise EvaluationError("invalid argument to has() macro")
    target = evaluate(selection.target, variables)
    if not isinstance(target, dict):
        raise EvaluationError("has(): no such overload")
    return selection.field in target


def _bind(node: Call, variables: Variables) -> Any:
    name, value, body = node.arguments
    if not isinstance(name, Name):
        raise EvaluationError("cel.bind() variable names must be simple identifiers")
    return evaluate(body, {**variables, name.name: evaluate(value, variables)})


_LAZY: dict[str, Callable[[Call, Variables], Any]] = {
    "_?_:_": _ternary,
    "_||_": _logical(True),
    "_&&_": _logical(False),
    "has": _has,
}


def _comprehension(node: Call, variables: Variables) -> Any:
    assert node.target is not None
    over = evaluate(node.target, variables)
    variable, *bodies = node.arguments
    if not isinstance(variable, Name) or not isinstance(over, list | dict):
        raise EvaluationError(f"{node.name}(): no such overload")
    scopes = [(item, {**variables, variable.name: item}) for item in over]
    if node.name == "filter":
        return [item for item, scope in scopes if evaluate(bodies[0], scope)]
    if node.name == "map":
        chosen = [scope for _, scope in scopes if len(bodies) == 1 or evaluate(bodies[0], scope)]
        return [evaluate(bodies[-1], scope) for scope in chosen]
    if node.name in ("exists_one", "existsOne"):
        return sum(bool(evaluate(bodies[0], scope)) for _, scope in scopes) == 1
    return _quantified(bodies[0], [scope for _, scope in scopes], decisive=node.name == "exists")


def _quantified(body: Node, scopes: list[Variables], *, decisive: bool) -> bool:
    """``exists`` is decided by one true, ``all`` by one false; errors count only otherwise."""
    error = None
    for scope in scopes:
        try:
            if bool(evaluate(body, scope)) is decisive:
                return decisive
        except EvaluationError as failed:
            error = failed
    if error is not None:
        raise error
    return not decisive
