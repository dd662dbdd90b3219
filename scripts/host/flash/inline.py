"""Constants of the firmware, put in their places on the way to a device.

A name at a module's top costs heap there, a search at the start, and a microsecond or two at each use. MicroPython's
`_X = const(1)` costs nothing, but cannot be imported, and CPython does not know it. So modules are written with plain
names, and before they are compiled for the device each use of a number, or of a short text, becomes the number or the
text, and so does the one use of a table of such. What only the type checker reads (`if TYPE_CHECKING:`) goes.
"""

import ast
import re
from collections import Counter
from functools import cache

_CHECKING = "TYPE_CHECKING"
_CAPITALS = re.compile(r"_?[A-Z][A-Z0-9_]*")
_SHORT = 10  # letters of a text that MicroPython keeps once, however often it stands in a module

Value = int | str | bytes | tuple[object, ...]


def says_nothing(text: str) -> bool:
    """Whether a module has nothing but its docstring."""
    return all(
        isinstance(node, ast.Pass) or (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant))
        for node in ast.parse(text).body
    )


class InlineError(ValueError):
    """A module is written in a way in which a constant's place is not certain; the text says where and why."""


class Modules:
    """The modules that go onto a device together. `sources`: path with .py -> text."""

    def __init__(self, sources: dict[str, str]) -> None:
        self._sources = sources
        self.constants = cache(self._constants)
        self._uses = cache(self._uses_of)
        self._under_way: set[str] = set()  # two modules may import each other
        self._facts = cache(self._facts_of)

    def _facts_of(self, path: str) -> "_Facts":
        return _Facts(ast.parse(self._sources[path]))

    def _uses_of(self) -> Counter[str]:
        """How often each name is used, in all modules."""
        found: Counter[str] = Counter()
        for path in self._sources:
            for node in ast.walk(self._facts(path).tree):
                if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
                    found[node.id] += 1
                elif isinstance(node, ast.Attribute):
                    found[node.attr] += 1
        return found

    def _stands_for_itself(self, name: str, value: object) -> bool:
        """Whether a constant may stand wherever its name does, and takes no more room there."""
        if type(value) is int or (isinstance(value, str) and len(value) <= _SHORT):
            return True
        return _is_constant(value) and self._uses()[name] <= 1

    def _constants(self, path: str) -> dict[str, Value]:
        """A module's own constants: capitals, set once, at its top."""
        if path.endswith("__init__.py"):
            return {}  # a package without names of its own would be no file, and service/image_hash.py asks for it
        tree, stored = self._facts(path).tree, self._facts(path).stored
        known = {name: value for node in tree.body for name, value in self._imported(node).items()}
        found: dict[str, Value] = {}
        for node in tree.body:
            name = _target(node)
            if not _CAPITALS.fullmatch(name) or stored.count(name) > 1:
                continue
            try:
                value = eval(compile(ast.Expression(node.value), name, "eval"), {"__builtins__": {}}, known | found)
            except Exception:  # not made of constants alone
                continue
            if self._stands_for_itself(name, value):
                found[name] = value
        return found

    def _path(self, dotted: str) -> str:
        """Of a module by its name; "" where it is none of these."""
        for path in (dotted.replace(".", "/") + ".py", dotted.replace(".", "/") + "/__init__.py"):
            if path in self._sources:
                return path
        return ""

    def _imported(self, node: ast.AST) -> dict[str, Value]:
        """Name and value of the constants that an import statement brings."""
        if not isinstance(node, ast.ImportFrom) or not self._path(node.module or ""):
            return {}
        path = self._path(node.module or "")
        if path in self._under_way:
            return {}
        self._under_way.add(path)
        there = self.constants(path)
        self._under_way.remove(path)
        return {alias.asname or alias.name: there[alias.name] for alias in node.names if alias.name in there}

    def _check_sources(self, path: str) -> None:
        """InlineError where a name is imported from two places in a module, or from one and is a constant of its own:
        which of them it is where it is used is not looked at here."""
        found: dict[str, str] = dict.fromkeys(self.constants(path), "")
        for node in self._facts(path).imports:
            for alias in node.names:
                source, name = f"{node.module}.{alias.name}", alias.asname or alias.name
                if found.setdefault(name, source) != source:
                    raise InlineError(f"{path}: {name} is {source} and {found[name] or 'a name of its own'}")

    def inlined(self, path: str, keep: bool = False) -> str:
        """A module's text with the constants in place of their names. `keep`: the names stay there, too, for modules
        that are none of these and ask for them."""
        return ast.unparse(self.tree(path, keep))

    def tree(self, path: str, keep: bool = False) -> ast.Module:
        """The same as a syntax tree, which is the caller's."""
        imports = self._facts(path).imports
        self._check_sources(path)
        values = dict(self.constants(path))
        for node in imports:
            values.update(self._imported(node))
        modules = {}
        for node in imports:
            for alias in node.names:
                inner = self._path(f"{node.module}.{alias.name}")
                if inner:
                    modules[alias.asname or alias.name] = self.constants(inner)
        own = set(self.constants(path))
        dropped = set() if keep else own
        hidden = set(self._facts(path).stored) | self._facts(path).arguments
        return _Inliner(values, modules, own, dropped, hidden).visit_Module(ast.parse(self._sources[path]))


class _Facts:
    """What is asked of a module's tree: it stays as it is."""

    def __init__(self, tree: ast.Module) -> None:
        self.tree = tree
        self.imports: list[ast.ImportFrom] = []
        self.stored: list[str] = []
        self.arguments: set[str] = set()
        for node in ast.walk(tree):
            if isinstance(node, ast.Name):
                if isinstance(node.ctx, ast.Store):
                    self.stored.append(node.id)
            elif isinstance(node, ast.arg):
                self.arguments.add(node.arg)
            elif isinstance(node, ast.ImportFrom):
                self.imports.append(node)


class _Inliner(ast.NodeTransformer):
    """`values`: name -> constant; `modules`: name -> constants in it; `own`: names this module sets; `dropped`:
    those of them that go; `hidden`: names that it uses for variables."""

    def __init__(
        self,
        values: dict[str, Value],
        modules: dict[str, dict[str, Value]],
        own: set[str],
        dropped: set[str],
        hidden: set[str],
    ) -> None:
        self._values = {name: value for name, value in values.items() if name in own or name not in hidden}
        self._modules = {name: constants for name, constants in modules.items() if name not in hidden}
        self._dropped = dropped
        self._needed: set[str] = set()

    def visit_Module(self, node: ast.Module) -> ast.Module:  # noqa: N802
        node.body = [statement for statement in node.body if _target(statement) not in self._dropped | {_CHECKING}]
        self.generic_visit(node)
        _Dropper(set(self._values) | set(self._modules) - self._needed).visit(node)
        return node

    def visit_If(self, node: ast.If) -> ast.stmt | list[ast.stmt]:  # noqa: N802
        self.generic_visit(node)
        return node.orelse if isinstance(node.test, ast.Name) and node.test.id == _CHECKING else node

    def visit_Name(self, node: ast.Name) -> ast.expr:  # noqa: N802
        if node.id in self._values and isinstance(node.ctx, ast.Load):
            return _constant(self._values[node.id])
        self._needed.add(node.id)
        return node

    def visit_Attribute(self, node: ast.Attribute) -> ast.expr:  # noqa: N802
        if isinstance(node.value, ast.Name) and node.attr in self._modules.get(node.value.id, ()):
            return _constant(self._modules[node.value.id][node.attr])
        self.generic_visit(node)
        return node


class _Dropper(ast.NodeTransformer):
    """Takes names that nothing needs any more out of the import statements."""

    def __init__(self, names: set[str]) -> None:
        self._names = names

    def generic_visit(self, node: ast.AST) -> ast.AST:
        """No import is within an expression."""
        return node if isinstance(node, ast.expr) else super().generic_visit(node)

    def visit_ImportFrom(self, node: ast.ImportFrom) -> ast.stmt:  # noqa: N802
        kept = [alias for alias in node.names if (alias.asname or alias.name) not in self._names]
        if not kept:
            return ast.Pass()
        node.names = kept
        return node


def _target(node: ast.stmt) -> str:
    """The name that a plain assignment sets; "" for any other statement."""
    if isinstance(node, ast.Assign) and len(node.targets) == 1 and isinstance(node.targets[0], ast.Name):
        return node.targets[0].id
    return ""


def _constant(value: Value) -> ast.expr:
    """A value as an expression; a negative number as one that gets its brackets in -5 ** 2."""
    if type(value) is int and value < 0:
        return ast.UnaryOp(ast.USub(), ast.Constant(-value))
    return ast.Constant(value)


def _is_constant(value: object) -> bool:
    """Whether MicroPython makes a value when it compiles."""
    if isinstance(value, tuple):
        return all(map(_is_constant, value))
    return type(value) in (int, str, bytes)
