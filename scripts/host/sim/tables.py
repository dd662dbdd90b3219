"""Shorter ways through MicroPython's tables of names, for the unix port's engine (compiled.py).

There a table grows by a quarter when it is full, and is searched from a name's place to the next empty one. A method is
looked for among its object's attributes first, where it is not: on a full table that takes the whole of it, which was a
quarter of a run's time. What this changes takes place in the tables alone:

- an object gets a table of attributes with room as its `__init__` begins, and its methods stand in it
  (boards/virtual/engine/room.py);
- a class has the methods that it inherits in its own table, too;
- a module has the built-in functions that it calls among its globals.
"""

import ast
from collections.abc import Callable
from functools import cache

LEAST = 7  # attributes: below it a table is short anyway, and such objects are made by the million
BUILT_IN = frozenset(
    ["abs", "bool", "bytearray", "bytes", "callable", "divmod", "enumerate", "float", "getattr", "int", "isinstance"]
    + ["issubclass", "len", "list", "max", "min", "range", "reversed", "round", "setattr", "sorted", "str", "sum"]
    + ["tuple", "zip"]
    + ["IndexError", "KeyError", "NotImplementedError", "OSError", "OverflowError", "RuntimeError", "ValueError"]
)
ROOM = "from boards.virtual.engine.room import room as _room\n"


class Classes:
    """What the classes of all modules have, by their names. A name that several share says nothing."""

    def __init__(self, texts: list[str]) -> None:
        self._nodes: dict[str, list[ast.ClassDef]] = {}
        for text in texts:
            for node in ast.walk(_parsed(text)):
                if isinstance(node, ast.ClassDef):
                    self._nodes.setdefault(node.name, []).append(node)
        self.attributes = cache(self._attributes_of)
        self.methods = cache(self._methods_of)

    def _all(self, name: str, what: Callable[[ast.ClassDef], set[str]]) -> set[str]:
        nodes = self._nodes.get(name, [])
        if len(nodes) != 1:
            return set()
        return what(nodes[0]).union(*(self._all(base, what) for base in _bases(nodes[0])))

    def _attributes_of(self, name: str) -> set[str]:
        """The attributes that an object of a class gets, those of its base classes included."""
        return self._all(name, _attributes)

    def _methods_of(self, name: str) -> set[str]:
        """A class's methods, inherited ones included."""
        return self._all(name, _methods)


def shortened(tree: ast.Module, classes: Classes) -> str:
    """A module's text with the changes; its tree is changed on the way."""
    roomy = False
    nodes = list(ast.walk(tree))
    for node in nodes:
        if isinstance(node, ast.ClassDef):
            roomy |= _give_room(node, classes)
            _inherit(node, classes)
    used = {node.id for node in nodes if isinstance(node, ast.Name)} & BUILT_IN
    lines = f"from builtins import {', '.join(sorted(used))}\n" if used else ""
    head = ast.parse(lines + (ROOM if roomy else "")).body
    tree.body[_after_docstring(tree.body) : 0] = head
    return ast.unparse(tree)


def _give_room(node: ast.ClassDef, classes: Classes) -> bool:
    methods = tuple(sorted(name for name in classes.methods(node.name) if not name.startswith("__")))
    attributes = classes.attributes(node.name)
    if len(attributes) < LEAST:
        return False
    for method in node.body:
        if isinstance(method, ast.FunctionDef) and method.name == "__init__":
            call = f"_room({method.args.args[0].arg}, {len(attributes) + len(methods)}, {methods})"
            method.body[_after_docstring(method.body) : 0] = ast.parse(call).body
            return True
    return False


def _inherit(node: ast.ClassDef, classes: Classes) -> None:
    own = _methods(node) | _names(node)
    for base in _bases(node):
        inherited = sorted(name for name in classes.methods(base) - own if not name.startswith("__"))
        node.body += ast.parse("\n".join(f"{name} = {base}.{name}" for name in inherited)).body
        own |= set(inherited)


def _parsed(text: str) -> ast.AST:
    try:
        return ast.parse(text)
    except SyntaxError:  # MicroPython says so when it comes to it
        return ast.Module([], [])


def _after_docstring(body: list[ast.stmt]) -> int:
    first = body[0] if body else None
    return int(isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant))


def _bases(node: ast.ClassDef) -> list[str]:
    return [base.id for base in node.bases if isinstance(base, ast.Name)]


def _attributes(node: ast.ClassDef) -> set[str]:
    return {
        inner.attr
        for inner in ast.walk(node)
        if isinstance(inner, ast.Attribute) and isinstance(inner.ctx, ast.Store) and _is_self(inner.value)
    }


def _methods(node: ast.ClassDef) -> set[str]:
    return {inner.name for inner in node.body if isinstance(inner, ast.FunctionDef) and not inner.decorator_list}


def _names(node: ast.ClassDef) -> set[str]:
    """What a class's body sets otherwise."""
    found = {inner.name for inner in node.body if isinstance(inner, ast.FunctionDef)}
    return found | {name.id for inner in node.body for name in ast.walk(inner) if isinstance(name, ast.Name)}


def _is_self(node: ast.expr) -> bool:
    return isinstance(node, ast.Name) and node.id == "self"
