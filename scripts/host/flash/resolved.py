"""Whether each name that the firmware asks for is there, in its modules as they are compiled for a device: what
inline.py drops, joined.py moves and short_names.py calls otherwise is looked through once more, by other means."""

import ast
import builtins
import symtable
from collections.abc import Collection, Iterator

from host.flash.joined import NEVER, names_of

_OF_A_MODULE = ("__file__", "__name__")


class GoneError(ValueError):
    """A module asks for what is not there; the text says which module, and for what."""


def check(texts: dict[str, str], absent: Collection[str] = ()) -> None:
    """GoneError where one of `texts` (path with .py -> text) asks another one, or itself, for a name that it has not,
    or for a module that is not among them; `absent`: those that are left out on purpose."""
    # The names that come first (names.py) are asked for by a line that never runs.
    texts = {path: text.split("\n", 2)[2] if text.startswith(NEVER) else text for path, text in texts.items()}
    trees = {path: ast.parse(text) for path, text in texts.items()}
    names = {path: {name for name, _ in names_of(tree.body)} | set(_OF_A_MODULE) for path, tree in trees.items()}
    for path, tree in trees.items():
        looker = _Looker(names, path, absent)
        looker.visit(tree)
        there = names[path] | set(vars(builtins)) | set(_in_annotations(tree))
        if ".asm_pio(" in texts[path]:
            there |= set(_of_assemblers(tree))
        for name in _globals(symtable.symtable(texts[path], path, "exec")):
            if name not in there:
                raise GoneError(f"{path}: {name} is not there")


def _globals(table: symtable.SymbolTable) -> Iterator[str]:
    """The names that are looked for at the module's top."""
    for symbol in table.get_symbols():
        if symbol.is_referenced() and (symbol.is_global() or table.get_type() == "module"):
            yield symbol.get_name()
    for inner in table.get_children():
        yield from _globals(inner)


def _in_annotations(tree: ast.Module) -> Iterator[str]:
    """The names that annotations have, at which MicroPython does not look."""
    for node in ast.walk(tree):
        for annotation in (getattr(node, "annotation", None), getattr(node, "returns", None)):
            if annotation is not None:
                yield from (one.id for one in ast.walk(annotation) if isinstance(one, ast.Name))


def _of_assemblers(tree: ast.Module) -> Iterator[str]:
    """The names in functions for the PIO, which rp2.asm_pio gives them while it assembles them."""
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call) and ".asm_pio(" in ast.unparse(node.func)]
    programs = {ast.unparse(argument) for call in calls for argument in call.args}
    for function in ast.walk(tree):
        if isinstance(function, ast.FunctionDef) and function.name in programs:
            yield from (node.id for node in ast.walk(function) if isinstance(node, ast.Name))


class _Looker(ast.NodeVisitor):
    """Looks at what a module imports, and what it asks a module for that it has imported. `names`: path -> names."""

    def __init__(self, names: dict[str, set[str]], path: str, absent: Collection[str]) -> None:
        self._names = names
        self._path = path
        self._absent = absent
        self._modules: dict[str, str] = {}  # name here -> path
        self._locals: list[set[str]] = []
        self._tops = {path.split("/")[0].removesuffix(".py") for path in names}

    def _found(self, dotted: str) -> str:
        """The path of a module; "" where it is none of the firmware's."""
        path = dotted.replace(".", "/")
        return next((found for found in (path + ".py", path + "/__init__.py") if found in self._names), "")

    def visit_ImportFrom(self, node: ast.ImportFrom) -> None:  # noqa: N802
        dotted = node.module or ""
        for alias in node.names:
            inner = self._found(f"{dotted}.{alias.name}")
            left_out = f"{dotted}.{alias.name}".replace(".", "/") + ".py" in self._absent
            if inner:
                self._modules[alias.asname or alias.name] = inner
                continue
            there = self._names.get(self._found(dotted), ())
            if dotted.partition(".")[0] in self._tops and alias.name not in there and not left_out:
                raise GoneError(f"{self._path}: {dotted} has no {alias.name}")

    def visit_Import(self, node: ast.Import) -> None:  # noqa: N802
        for alias in node.names:
            inner = self._found(alias.name)
            if alias.name.partition(".")[0] in self._tops and not inner:
                raise GoneError(f"{self._path}: there is no module {alias.name}")
            self._modules[alias.asname or alias.name] = inner

    def visit_FunctionDef(self, node: ast.FunctionDef) -> None:  # noqa: N802
        arguments = node.args
        every = (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs, arguments.vararg, arguments.kwarg)
        stored = {name for name, by in names_of(node.body) if not isinstance(by, ast.ImportFrom)}
        self._locals.append(stored | {one.arg for one in every if one})
        self.generic_visit(node)
        self._locals.pop()

    def visit_Attribute(self, node: ast.Attribute) -> None:  # noqa: N802
        self.generic_visit(node)
        name = node.value.id if isinstance(node.value, ast.Name) else ""
        module = self._modules.get(name)
        if module and not any(name in names for names in self._locals) and node.attr not in self._names[module]:
            raise GoneError(f"{self._path}: {name} has no {node.attr}")
