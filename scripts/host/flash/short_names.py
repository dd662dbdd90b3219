"""Names that are a module's own business, replaced on the way to a device by words that MicroPython has in any case.

Each name in a .mpy is looked for among all names there are, and kept on the heap: that is a third of the start, and
tens of kilobytes. WORDS stand in a .mpy as numbers (its format's version 6 fixes them), cost no look-up and no heap.
Replaced are names with a leading underscore, and names of arguments that nobody passes by name.
"""

import ast
import builtins
from collections import Counter
from collections.abc import Collection

# Of MicroPython's py/makeqstrdata.py, `static_qstr_list`: those that are no built-in functions or types of Python.
# `const` is left out: the compiler takes a call of that name for its own.
WORDS = """
append args bytecode clear close copy count end endswith extend find format from_bytes get index
insert isalpha isdigit islower isspace issubclass isupper items join key keys little lower lstrip main
micropython pop popitem read readinto readline remove replace reverse rfind rindex rsplit rstrip send sep
setdefault sort split start startswith step stop strip throw to_bytes update upper value values write
""".split()  # noqa: SIM905
# Built-in ones do for attributes, too: nobody finds them there by their bare name.
ATTRIBUTES = """
abs all any bool builtins bytearray bytes callable chr classmethod dict dir divmod eval exec getattr globals
hasattr hash id int isinstance iter len list locals map next object open ord pow print range repr round set
setattr sorted staticmethod str sum super tuple type zip ArithmeticError AssertionError AttributeError
BaseException EOFError Ellipsis Exception GeneratorExit ImportError IndentationError IndexError KeyError
KeyboardInterrupt LookupError MemoryError NameError NoneType NotImplementedError OSError OverflowError
RuntimeError StopIteration SyntaxError SystemExit TypeError ValueError ZeroDivisionError
""".split()  # noqa: SIM905


# Where all private names are replaced: what runs at the start, for the prompt, the display and the port. What the
# measuring cycle looks up stays: MicroPython remembers one place a name, so that a word that stands for many names
# would cost time, and the places of words cannot be chosen (names.py).
COLD = (
    "launch.py",
    "slot.py",
    "boot.py",
    "main.py",
    "openkh/app.py",
    "openkh/calibration.py",
    "openkh/identity.py",
    "openkh/display/",
    "openkh/remote/",
    "openkh/service/",
    "openkh/startup/",
    "openkh/storage/vault.py",
    "openkh/storage/upward.py",
    "openkh/storage/scan.py",
    "openkh/storage/interval_ring.py",
    "openkh/storage/interval_pages.py",
)


def shortened(texts: dict[str, str], listed: Collection[str] = ()) -> dict[str, str]:
    """The modules' texts (path with .py -> text) with such names replaced. All that runs on the device has to be among
    `texts`, but for what asks for public names alone. `listed`: the names that the measuring cycle looks up, which stay
    in its modules (names.py); where there are none, all names of these stay."""
    trees = {path: ast.parse(text) for path, text in texts.items()}
    used = {path: _used(tree) for path, tree in trees.items()}
    by_name = {node.arg for tree in trees.values() for node in ast.walk(tree) if isinstance(node, ast.keyword)}
    kept = _asked_from_elsewhere(trees, used)
    public = set().union(*used.values())
    for paths in _families(trees):
        if all(path.startswith(COLD) for path in paths):
            _private(paths, trees, kept, public)
        elif listed:
            _private(paths, trees, kept | set(listed), public)
    for tree in trees.values():
        _arguments(tree, by_name)
    return {path: ast.unparse(tree) for path, tree in trees.items()}


def _is_private(name: str) -> bool:
    return name.startswith("_") and not name.startswith("__") and name != "_"


def _used(tree: ast.Module) -> Counter[str]:
    """How often each identifier stands in a module."""
    found: Counter[str] = Counter()
    for node in ast.walk(tree):
        for field in ("id", "attr", "name", "arg", "asname"):
            name = getattr(node, field, None)
            if isinstance(name, str):
                found[name] += 1
    return found


def _made(tree: ast.Module) -> set[str]:
    """Names that a module gives to functions, classes, attributes and variables."""
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            found.add(node.name)
        elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
            found.add(node.attr)
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            found.add(node.id)
    return found


def _families(trees: dict[str, ast.Module]) -> list[list[str]]:
    """Modules in groups that share names: a class and those that it inherits from."""
    family = {path: {path} for path in trees}
    for path, tree in trees.items():
        bases = {one.id for node in ast.walk(tree) if isinstance(node, ast.ClassDef) for base in node.bases
                 for one in ast.walk(base) if isinstance(one, ast.Name)}  # fmt: skip
        for node in ast.walk(tree):
            if not isinstance(node, ast.ImportFrom):
                continue
            for alias in node.names:
                # A base is a name of a module, or is asked of a module by its name.
                for other in (node.module or "", f"{node.module}.{alias.name}"):
                    there = other.replace(".", "/") + ".py"
                    if (alias.asname or alias.name) in bases and there in trees:
                        together = family[path] | family[there]
                        for member in together:
                            family[member] = together
    return [sorted(members) for members in {id(members): members for members in family.values()}.values()]


def _asked_from_elsewhere(trees: dict[str, ast.Module], used: dict[str, Counter[str]]) -> set[str]:
    """Private names that a family uses and does not make, or that stand in a text."""
    kept: set[str] = set()
    for paths in _families(trees):
        made = set().union(*(_made(trees[path]) for path in paths))
        kept |= {name for path in paths for name in used[path] if _is_private(name) and name not in made}
    for tree in trees.values():
        for node in ast.walk(tree):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                kept.add(node.value)
            elif isinstance(node, ast.Import | ast.ImportFrom):
                kept |= {name for alias in node.names for name in (alias.name, alias.asname) if name}
            elif isinstance(node, ast.keyword | ast.ExceptHandler):
                kept.add((node.arg if isinstance(node, ast.keyword) else node.name) or "")
    return kept


def _private(paths: list[str], trees: dict[str, ast.Module], kept: set[str], public: set[str]) -> None:
    """Replace the private names of a family in its trees. `public`: every identifier of the firmware."""
    nodes = [node for path in paths for node in ast.walk(trees[path])]
    counts = sum((_used(trees[path]) for path in paths), Counter())
    bare = {node.id for node in nodes if isinstance(node, ast.Name)}
    bare |= {node.name for node in nodes if isinstance(node, ast.FunctionDef | ast.ClassDef)}
    names = [name for name, _ in counts.most_common() if _is_private(name) and name not in kept]
    globally = [word for word in WORDS if word not in public]
    inside = [word for word in ATTRIBUTES if word not in public]
    found = {}
    for name in names:
        source = globally if name in bare or not inside else inside
        if source:
            found[name] = source.pop(0)
    for path in paths:
        _Renamer(found).visit(trees[path])


def _arguments(tree: ast.Module, by_name: set[str]) -> None:
    """Replace the names of arguments, function by function, in its tree."""
    for function in [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]:
        inner = [node for statement in function.body for node in ast.walk(statement)]
        if any(
            isinstance(node, ast.FunctionDef | ast.Lambda | ast.ClassDef | ast.Global | ast.Nonlocal) for node in inner
        ):
            continue
        arguments = function.args
        taken = {node.id for node in inner if isinstance(node, ast.Name)} | set(vars(builtins))
        names = [node.arg for node in (*arguments.posonlyargs, *arguments.args)]
        free = [word for word in WORDS if word not in taken and word not in names]
        # An argument that is set anew by `except ... as` or by an import would stay behind under its new name.
        rebound = {node.name for node in inner if isinstance(node, ast.ExceptHandler)}
        rebound |= {one.asname or one.name for node in inner if isinstance(node, ast.Import | ast.ImportFrom)
                    for one in node.names}  # fmt: skip
        kept = {*WORDS, "self", *by_name, *rebound}
        found = {name: free.pop(0) for name in names if name not in kept and free}
        for node in (*arguments.posonlyargs, *arguments.args):
            node.arg = found.get(node.arg, node.arg)
        for node in inner:
            if isinstance(node, ast.Name):
                node.id = found.get(node.id, node.id)


class _Renamer(ast.NodeTransformer):
    """`names`: old -> new."""

    def __init__(self, names: dict[str, str]) -> None:
        self._names = names

    def visit_Attribute(self, node: ast.Attribute) -> ast.expr:  # noqa: N802
        self.generic_visit(node)
        node.attr = self._names.get(node.attr, node.attr)
        return node

    def visit_Name(self, node: ast.Name) -> ast.expr:  # noqa: N802
        node.id = self._names.get(node.id, node.id)
        return node

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.stmt:  # noqa: N802
        self.generic_visit(node)
        node.name = self._names.get(node.name, node.name)
        return node

    def visit_ClassDef(self, node: ast.ClassDef) -> ast.stmt:  # noqa: N802
        self.generic_visit(node)
        node.name = self._names.get(node.name, node.name)
        return node

    def visit_Global(self, node: ast.Global) -> ast.stmt:  # noqa: N802
        node.names = [self._names.get(name, name) for name in node.names]
        return node

    def visit_arg(self, node: ast.arg) -> ast.arg:
        node.arg = self._names.get(node.arg, node.arg)
        return node
