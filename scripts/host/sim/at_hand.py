"""Functions that have the globals they use at hand, for the unix port's engine (compiled.py).

A function of machine code that uses a global costs MicroPython four times what an attribute does: it sets the module's
names in force and an exception handler up as it begins, and takes both back as it ends. Where all globals of a function
are names that its module binds once, above it, they become defaults of arguments that nobody gives, and it uses none.
"""

import ast
import symtable

MOST = 6  # each of them costs a little at every call


def at_hand(text: str) -> str:
    """A module's text with the changes."""
    tree = ast.parse(text)
    table = symtable.symtable(text, "module", "exec")
    bound = _bound_once(tree, table)
    tables = {(child.get_name(), child.get_lineno()): child for child in _all_below(table)}
    for top, node, classes in _functions(tree):
        its = tables[node.name, node.lineno]
        names = _globals_of(its)
        if not 0 < len(names) <= MOST or not _plain(node):
            continue
        above = {name for name, at in bound.items() if at < top}
        in_class = {name for outer in classes for name in _set_in(outer)}
        in_it = {name for child in _all_below(its) for name in child.get_identifiers()}
        if names <= above - in_class - in_it:
            for name in sorted(names):
                node.args.args.append(ast.arg(name))
                node.args.defaults.append(ast.Name(name, ast.Load()))
    return ast.unparse(tree)


def _bound_once(tree: ast.Module, table: symtable.SymbolTable) -> dict[str, int]:
    """The names that a module binds once and at its top, with the number of the statement."""
    found: dict[str, int] = {}
    often = {name for child in _all_below(table) for name in _changed_in(child)}
    for number, node in enumerate(tree.body):
        for name in _names_of(node):
            if name in found:
                often.add(name)
            found[name] = number
    simple = set()
    for node in tree.body:
        if isinstance(node, ast.Import | ast.ImportFrom | ast.FunctionDef | ast.ClassDef | ast.Assign):
            simple.update(_names_of(node))
    return {name: number for name, number in found.items() if name in simple - often}


def _names_of(node: ast.stmt) -> list[str]:
    """The names that a statement at a module's top binds, each as often as it does."""
    if isinstance(node, ast.Import | ast.ImportFrom):
        return [alias.asname or alias.name.split(".")[0] for alias in node.names]
    if isinstance(node, ast.FunctionDef | ast.ClassDef):
        return [node.name]
    stores = [n for n in ast.walk(node) if isinstance(n, ast.Name) and not isinstance(n.ctx, ast.Load)]
    inner = [name for part in ast.iter_child_nodes(node) if isinstance(part, ast.stmt) for name in _names_of(part)]
    return [n.id for n in stores] + inner


def _changed_in(table: symtable.SymbolTable) -> set[str]:
    """Globals that a function binds."""
    return {symbol.get_name() for symbol in table.get_symbols() if symbol.is_declared_global()}


def _all_below(table: symtable.SymbolTable) -> list[symtable.SymbolTable]:
    found = []
    for child in table.get_children():
        found += [child, *_all_below(child)]
    return found


def _functions(tree: ast.Module) -> list[tuple[int, ast.FunctionDef, list[ast.ClassDef]]]:
    """Each function that may be changed: the number of the statement at the module's top that it is in, itself, and the
    classes around it."""
    found = []

    def look(top: int, node: ast.AST, classes: list[ast.ClassDef]) -> None:
        for inner in ast.iter_child_nodes(node):
            if isinstance(inner, ast.FunctionDef):
                found.append((top, inner, classes))
            look(top, inner, [*classes, inner] if isinstance(inner, ast.ClassDef) else classes)

    for number, statement in enumerate(tree.body):
        if isinstance(statement, ast.FunctionDef):
            found.append((number, statement, []))
        look(number, statement, [statement] if isinstance(statement, ast.ClassDef) else [])
    return found


def _globals_of(table: symtable.SymbolTable) -> set[str]:
    return {symbol.get_name() for symbol in table.get_symbols() if symbol.is_global()}


def _plain(node: ast.FunctionDef) -> bool:
    """Whether nothing but positional arguments can be given, and nobody changes the function."""
    args = node.args
    return not (node.decorator_list or args.vararg or args.kwonlyargs or args.kwarg or args.posonlyargs)


def _set_in(node: ast.ClassDef) -> set[str]:
    """What a class's body binds: a default is looked for there first."""
    return {name for inner in node.body for name in _names_of(inner)}
