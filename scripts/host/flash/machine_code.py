"""Functions that a device runs as machine code, made from the same source as everywhere else: their numbers have 32
bits there, and what they read from an array is not negative.

What is changed is what MicroPython's compiler asks for: the decorator `micropython.viper`, and `ptr32` and `ptr8` for
the types of arrays and of bytes. host_tests/rp2040/test_rp2040_machine_code.py runs the result beside the source.
"""

import ast

FUNCTIONS = {"openkh/metrology/correction.py": ("corrected",), "openkh/storage/check.py": ("checked",)}
_POINTERS = {"array[int]": "ptr32", "bytearray | memoryview": "ptr8"}  # by how an argument is annotated in the source
_EMITTER = ast.parse("micropython.viper", mode="eval").body


def marked(path: str, text: str) -> str:
    """The text of a module with its FUNCTIONS marked for the compiler. ValueError where one of them is missing."""
    wanted = FUNCTIONS.get(path, ())
    if not wanted:
        return text
    tree = ast.parse(text)
    found = {node.name: node for node in tree.body if isinstance(node, ast.FunctionDef)}
    for name in wanted:
        if name not in found:
            raise ValueError(f"{path}: no function {name}, which is to be machine code")
        found[name].decorator_list.append(_EMITTER)
        for argument in found[name].args.args:
            if isinstance(argument.annotation, ast.Constant) and argument.annotation.value in _POINTERS:
                argument.annotation = ast.Name(_POINTERS[argument.annotation.value])
    return ast.unparse(tree)
