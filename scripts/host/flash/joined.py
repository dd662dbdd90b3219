"""What the meter loads before its first cycle, put together into one module on the way to a device.

MicroPython keeps a list of names for each module, and searches all names there are for each of them: what 45 modules
have in common is searched 45 times, and so is each part of each module's name at each import. Together they start in
two thirds of the time. The whole is `openkh.app`; what others imported from one of the modules they import from there.

A name at a module's top that another module has as well gets one of its own. Nothing else is changed: no function, no
class, no attribute, and the order in which the modules' statements run is one in which Python could import them.

MicroPython numbers a module's names in the order in which they stand in it. The names whose numbers matter (names.py)
therefore come first, in a statement that never runs. The built-in functions that are used are made the whole's own
names: what is not among them is looked for among all of them first. All have to be MOST at most: MicroPython remembers
where in a module it found a name for the first 256 places alone, and beyond MOST it makes the table longer than that.
"""

import ast
import builtins
from collections.abc import Iterable, Iterator, Sequence

from host.flash.short_names import ATTRIBUTES, COLD, WORDS

APP = "openkh/app.py"
APART = (
    "openkh/startup/restart.py",  # boot.py has these two before, and makes the outputs safe first of all
    "openkh/startup/sealed_word.py",
    "openkh/drivers/pulse_port.py",  # rp2.asm_pio empties the table of its module's names, and fills it again
)
MOST = 221  # 223 places (MicroPython's py/map.c), less the module's own __name__ and __file__
NEVER = "if not __name__:\n"
_LISTING = "__all__"
_OF_THE_COMPILER = "super"

Binding = tuple[str, str]  # what an import from elsewhere brings: module, and name in it, "" for the module itself


class JoinError(ValueError):
    """Modules are written in a way that cannot be put together; the text says where and why."""


def joined(texts: dict[str, str], listed: Sequence[str] = ()) -> dict[str, str]:
    """The modules' texts (path with .py -> text), those that APP imports at the top being in it. The others' imports
    from these lead there. `listed`: the names that it has first (names.py). Without APP the texts stay as they are."""
    if APP not in texts:
        return texts
    whole = _Whole({path: ast.parse(text) for path, text in texts.items()})
    together = names_first(listed) + whole.text()
    apart = [path for path in texts if path not in whole.order]
    return {**{path: ast.unparse(_Redirect(whole, path).changed()) for path in apart}, APP: together}


def name_of(texts: dict[str, str], path: str, name: str) -> str:
    """What a name at the top of a module is called in the whole."""
    return _Whole({path: ast.parse(text) for path, text in texts.items()}).flat[path, name]


def names_first(listed: Sequence[str]) -> str:
    """A statement that has these names one after the other."""
    return f"{NEVER}    {'.'.join((WORDS[0], *listed))}\n" if listed else ""


class _Whole:
    """Modules that are put together, in `order`, in the place of APP. `flat`: (path, name in it) -> its name in the
    whole."""

    dotted = APP.removesuffix(".py").replace("/", ".")

    def __init__(self, trees: dict[str, ast.Module]) -> None:
        self.trees = trees
        self.order: list[str] = []
        self._reach(APP)
        self.flat: dict[tuple[str, str], str] = {}
        self.modules: dict[tuple[str, str], str] = {}  # (path, name in it) -> the module of the whole it stands for
        self._imports: dict[Binding, tuple[str, str]] = {}  # -> its name in the whole, and the first module that has it
        everywhere = {name for path in self.order for name in _identifiers(trees[path])}
        self._taken = {name for name, node in _bound(trees[APP]) if not isinstance(node, ast.ImportFrom | ast.Import)}
        # Built-in functions that no module uses are as good as other words.
        unused = [word for word in (*WORDS, *ATTRIBUTES) if word.islower() and word not in everywhere]
        self._free = iter([word for word in unused if word != _OF_THE_COMPILER])
        self._everywhere = everywhere | set(vars(builtins))
        self._name_all()

    def path(self, dotted: str) -> str:
        """Of a module by its name; "" where it is none of the firmware's."""
        found = dotted.replace(".", "/") + ".py"
        return found if found in self.trees else ""

    def _reach(self, path: str) -> None:
        """Put a module into `order`, and those that it imports before it."""
        if path in self.order:
            return
        for node in self.trees[path].body:
            for inner in self.imported(node):
                self._reach(inner)
        if path not in APART:
            self.order.append(path)

    def imported(self, node: ast.AST) -> Iterator[str]:
        """The modules of the firmware that an import statement loads, packages aside."""
        if isinstance(node, ast.ImportFrom):
            if self.path(node.module or ""):
                yield self.path(node.module or "")
                return
            for alias in node.names:
                if self.path(f"{node.module}.{alias.name}"):
                    yield self.path(f"{node.module}.{alias.name}")

    def _name_all(self) -> None:
        """Give each name at a module's top its name in the whole."""
        for path in self.order:
            for name, node in _bound(self.trees[path]):
                if isinstance(node, ast.ImportFrom | ast.Import):
                    self._name_import(path, name, node)
                elif (path, name) not in self.flat:
                    keeps = path == APP or (name not in self._taken and not hasattr(builtins, name))
                    self.flat[path, name] = name if keeps else self._fresh(name)
                    self._taken.add(self.flat[path, name])

    def _fresh(self, name: str) -> str:
        """A name that no module has."""
        found = next(self._free, "")
        number = 2
        while not found or found in self._taken:
            found = "" if f"{name}_{number}" in self._everywhere | self._taken else f"{name}_{number}"
            number += 1
        return found

    def _name_import(self, path: str, name: str, node: ast.ImportFrom | ast.Import) -> None:
        if node not in self.trees[path].body:
            raise JoinError(f"{path}: the import of {name} is not at the module's top: it would be made always")
        alias = next(alias for alias in node.names if (alias.asname or alias.name) == name)
        module = node.module or "" if isinstance(node, ast.ImportFrom) else ""
        there = self.path(module)
        inner = self.path(f"{module}.{alias.name}")
        if there in self.order:
            self.flat[path, name] = self.flat[there, alias.name]
        elif inner in self.order:
            self.modules[path, name] = inner
        else:
            binding = (module, alias.name) if module else (alias.name, "")
            if binding not in self._imports:
                self._imports[binding] = self._fresh(name) if name in self._taken else name, path
                self._taken.add(self._imports[binding][0])
            self.flat[path, name] = self._imports[binding][0]

    def text(self) -> str:
        """The whole. What a module imports from elsewhere stands before its statements: the first one to import it."""
        body: list[ast.stmt] = []
        called: set[str] = set()
        for path in self.order:
            for (module, name), (flat, first) in self._imports.items():
                if first == path:
                    alias = [ast.alias(name or module, flat if flat != (name or module) else None)]
                    body.append(ast.ImportFrom(module, alias, 0) if name else ast.Import(alias))
            statements = _Flattened(self, path).statements()
            body += statements
            if not path.startswith(COLD):
                called |= _builtins_of(statements)
        own = [ast.Assign([ast.Name(name, ast.Store())], ast.Name(name, ast.Load()))
               for name in sorted(called - self._taken)]  # fmt: skip
        body = [*own, *body]
        names = {name for name, _ in names_of(body)}
        if len(names) > MOST:
            raise JoinError(
                f"{len(names)} names at the top of the whole: at most {MOST}, so let a module be imported later"
            )
        return ast.unparse(ast.fix_missing_locations(ast.Module(body, [])))


def _builtins_of(statements: Iterable[ast.AST]) -> set[str]:
    """The built-in functions that are called within functions."""
    found = set()
    for statement in statements:
        for function in ast.walk(statement):
            if isinstance(function, ast.FunctionDef):
                found |= {node.func.id for node in ast.walk(function)
                          if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)}  # fmt: skip
    known = {name for name in vars(builtins) if name.islower() and name != _OF_THE_COMPILER}
    return found & known


def _identifiers(tree: ast.Module) -> set[str]:
    fields = ("id", "name", "arg", "asname")
    return {text for node in ast.walk(tree) for field in fields if isinstance(text := getattr(node, field, None), str)}


def _within(nodes: list[ast.stmt]) -> Iterator[ast.AST]:
    """The nodes of one scope: of functions and classes in it only themselves."""
    for node in nodes:
        todo: list[ast.AST] = [node]
        while todo:
            one = todo.pop()
            yield one
            if not isinstance(one, ast.FunctionDef | ast.ClassDef | ast.Lambda):
                todo += ast.iter_child_nodes(one)


def names_of(nodes: list[ast.stmt]) -> Iterator[tuple[str, ast.AST]]:
    """Each name that statements bind in their scope, and the node that does."""
    for node in _within(nodes):
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            yield node.name, node
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store | ast.Del):
            yield node.id, node
        elif isinstance(node, ast.Import | ast.ImportFrom):
            for alias in node.names:
                yield alias.asname or alias.name, node
        elif isinstance(node, ast.ExceptHandler) and node.name:
            yield node.name, node


def _bound(tree: ast.Module) -> list[tuple[str, ast.AST]]:
    return [(name, node) for name, node in names_of(tree.body) if name != _LISTING]


class _Flattened(ast.NodeTransformer):
    """One module's statements with the whole's names."""

    def __init__(self, whole: _Whole, path: str) -> None:
        self._whole = whole
        self._path = path
        self._scopes: list[tuple[bool, set[str]]] = []  # from the outside in: whether it is a class's, and its names

    def statements(self) -> list[ast.stmt]:
        found = []
        for node in self._whole.trees[self._path].body:
            if isinstance(node, ast.Import | ast.ImportFrom):
                continue  # at the top of the whole
            if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
                continue  # a docstring
            if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == _LISTING:
                continue
            for inner in ast.walk(node):
                if set(self._whole.imported(inner)) & set(self._whole.order):
                    raise JoinError(f"{self._path}: an import within a function, of a module that is imported at a top")
            if not isinstance(node, ast.Pass):
                found.append(self.visit(node))
        return found

    def _local(self, name: str) -> bool:
        """Whether a name is one of the function or class that is looked at, or of a function around it."""
        last = len(self._scopes) - 1
        return any(name in names and (not a_class or n == last) for n, (a_class, names) in enumerate(self._scopes))

    def _flat(self, name: str) -> str:
        """The whole's name of what is called `name` here."""
        if self._local(name):
            return name
        flat = self._whole.flat.get((self._path, name), name)
        if flat != name and self._local(flat):
            raise JoinError(f"{self._path}: {flat}, which stands for {name} in the whole, is a variable here")
        return flat

    def visit_Name(self, node: ast.Name) -> ast.expr:  # noqa: N802
        if (self._path, node.id) in self._whole.modules and not self._local(node.id):
            raise JoinError(f"{self._path}: the module {node.id} is used other than for a name in it")
        renamed = self._whole.flat.get((self._path, node.id), node.id) != node.id
        in_class = bool(self._scopes) and self._scopes[-1][0] and self._local(node.id)
        if renamed and in_class and isinstance(node.ctx, ast.Load):  # it may be the class's or the module's
            raise JoinError(f"{self._path}: {node.id} is a name of a class and of the module")
        node.id = self._flat(node.id)
        return node

    def visit_Attribute(self, node: ast.Attribute) -> ast.expr:  # noqa: N802
        if isinstance(node.value, ast.Name) and not self._local(node.value.id):
            module = self._whole.modules.get((self._path, node.value.id))
            if module:
                if not isinstance(node.ctx, ast.Load):
                    raise JoinError(f"{self._path}: {node.value.id}.{node.attr} is set from another module")
                flat = self._whole.flat[module, node.attr]
                if self._local(flat):
                    raise JoinError(f"{self._path}: {flat}, a name of another module, is a variable here")
                return ast.Name(flat, node.ctx)
        self.generic_visit(node)
        return node

    def visit_Global(self, node: ast.Global) -> ast.stmt:  # noqa: N802
        node.names = [self._whole.flat.get((self._path, name), name) for name in node.names]
        return node

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.stmt:  # noqa: N802
        node.name = self._flat(node.name)
        node.decorator_list = [self.visit(one) for one in node.decorator_list]
        self._with_arguments(node)
        return node

    def visit_Lambda(self, node: ast.Lambda) -> ast.expr:  # noqa: N802
        self._with_arguments(node)
        return node

    def _with_arguments(self, node: ast.FunctionDef | ast.Lambda) -> None:
        every = node.args
        every.defaults = [self.visit(one) for one in every.defaults]
        every.kw_defaults = [one and self.visit(one) for one in every.kw_defaults]
        names = {one.arg for one in (*every.posonlyargs, *every.args, *every.kwonlyargs)}
        names |= {one.arg for one in (every.vararg, every.kwarg) if one}
        if isinstance(node, ast.FunctionDef):
            declared = {name for one in _within(node.body) if isinstance(one, ast.Global) for name in one.names}
            names |= {name for name, _ in names_of(node.body)} - declared
        self._scopes.append((False, names))
        if isinstance(node, ast.FunctionDef):
            node.body = [self.visit(one) for one in node.body]
        else:
            node.body = self.visit(node.body)
        self._scopes.pop()

    def visit_ClassDef(self, node: ast.ClassDef) -> ast.stmt:  # noqa: N802
        node.name = self._flat(node.name)
        node.bases = [self.visit(one) for one in node.bases]
        node.decorator_list = [self.visit(one) for one in node.decorator_list]
        self._scopes.append((True, {name for name, _ in names_of(node.body)}))
        node.body = [self.visit(one) for one in node.body]
        self._scopes.pop()
        return node


class _Redirect(ast.NodeTransformer):
    """A module that stays one of its own: what it imports from a module of the whole comes from there."""

    def __init__(self, whole: _Whole, path: str) -> None:
        self._whole = whole
        self._path = path
        self._aliases: dict[str, str] = {}  # name here -> module of the whole

    def changed(self) -> ast.Module:
        tree = self._whole.trees[self._path]
        named: dict[str, str] = {}  # modules imported, of the whole or not
        for node in ast.walk(tree):
            if isinstance(node, ast.ImportFrom) and not self._whole.path(node.module or ""):
                for alias in node.names:
                    name, inner = alias.asname or alias.name, self._whole.path(f"{node.module}.{alias.name}")
                    if named.setdefault(name, inner) != inner:
                        raise JoinError(f"{self._path}: {name} is two modules")
                    if inner in self._whole.order:
                        self._aliases[name] = inner
        for node in ast.walk(tree):
            stored = node.arg if isinstance(node, ast.arg) else ""
            if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
                stored = node.id
            if stored in self._aliases:
                raise JoinError(f"{self._path}: {stored} is a module and a variable")
        return self.visit(tree)  # type: ignore[no-any-return]

    def visit_ImportFrom(self, node: ast.ImportFrom) -> ast.stmt | list[ast.stmt]:  # noqa: N802
        module = self._whole.path(node.module or "")
        if module in self._whole.order:
            for alias in node.names:
                name = alias.asname or alias.name
                alias.name = self._whole.flat[module, alias.name]
                alias.asname = name if name != alias.name else None
            node.module = self._whole.dotted
            return node
        of_the_whole = [alias for alias in node.names if (alias.asname or alias.name) in self._aliases]
        others = [alias for alias in node.names if alias not in of_the_whole]
        found: list[ast.stmt] = [ast.ImportFrom(node.module, others, 0)] if others else []
        package, _, last = self._whole.dotted.rpartition(".")
        for alias in of_the_whole:
            name = alias.asname or alias.name
            found.append(ast.ImportFrom(package, [ast.alias(last, name if name != last else None)], 0))
        return found

    def visit_Name(self, node: ast.Name) -> ast.expr:  # noqa: N802
        if node.id in self._aliases:
            raise JoinError(f"{self._path}: the module {node.id} is used other than for a name in it")
        return node

    def visit_Attribute(self, node: ast.Attribute) -> ast.expr:  # noqa: N802
        if isinstance(node.value, ast.Name) and node.value.id in self._aliases:
            module = self._aliases[node.value.id]
            node.attr = self._whole.flat.get((module, node.attr), node.attr)
            return node
        self.generic_visit(node)
        return node
