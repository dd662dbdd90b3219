"""Walks through syntax trees, as those of the standard library's `ast` go and in a third of their time: they were most
of what it takes to make a firmware ready for a device or for the unix port's engine."""

import ast
import gc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache


@contextmanager
def uncollected() -> Iterator[None]:
    """While trees are made: Python looks through all that there are for garbage, again and again, and finds none."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def walk(tree: ast.AST) -> list[ast.AST]:
    """All nodes, in the order of `ast.walk`."""
    found = [tree]
    for node in found:  # which grows meanwhile
        for name in node._fields:
            value = getattr(node, name, None)
            if isinstance(value, list):
                found += [item for item in value if isinstance(item, ast.AST)]
            elif isinstance(value, ast.AST):
                found.append(value)
    return found


class Transformer(ast.NodeTransformer):
    """As ast.NodeTransformer, whose subclasses find their method for a kind of node once."""

    def __init__(self) -> None:
        self._method = cache(self._method_of)

    def _method_of(self, kind: type[ast.AST]) -> Callable[[ast.AST], ast.AST | list[ast.AST] | None]:
        return getattr(self, "visit_" + kind.__name__, self.generic_visit)

    def visit(self, node: ast.AST) -> ast.AST | list[ast.AST] | None:
        """What stands in the place of a node."""
        return self._method(type(node))(node)

    def generic_visit(self, node: ast.AST) -> ast.AST:
        """A node itself, with what stands in the places of those within it."""
        for name in node._fields:
            value = getattr(node, name, None)
            if isinstance(value, list):
                value[:] = self._all(value)
            elif isinstance(value, ast.AST) and value._fields:  # not `Load` and its like
                new = self.visit(value)
                if new is None:
                    delattr(node, name)
                elif new is not value:
                    setattr(node, name, new)
        return node

    def _all(self, values: list[ast.AST]) -> list[ast.AST]:
        found = []
        for value in values:
            new = self.visit(value) if isinstance(value, ast.AST) else value
            if isinstance(new, list):
                found += new
            elif new is not None or value is None:  # a dictionary's `**` has no key
                found.append(new)
        return found
