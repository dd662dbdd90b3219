"""What the measuring cycle asks its objects for is found at once: methods and attributes.

MicroPython keeps an object's attributes in a table, and looks for a name from the place that its hash gives to the next
empty one. It looks for a method there first, where it never is, and then in the object's class and in each class that
this one inherits from; what is not found is not remembered. A method that the object itself holds is found at once.
A table is filled to its last place before it grows: a name is then found after a dozen steps, and one that is not there
after a walk through all of it.
"""

ROOM = 3  # empty places for each ten attributes
# Names that MicroPython has in any case and that nothing here has for an attribute (host_tests/test_bound.py).
_FILLERS: "tuple[str, ...]" = ("bin", "complex", "delattr", "enumerate", "filter", "float", "frozenset", "help", "hex")
_FILLERS += ("input", "memoryview", "oct", "property", "reversed", "slice")
_FILLERS += ("__build_class__", "__import__", "__repl_print__")

_waiting: "list[tuple[object, tuple[str, ...]]] | None" = None  # what `later` keeps; None: nothing is put off


def later() -> None:
    """Put off what `bind` is asked for until `now`: it takes 50 ms, and saves the first cycle a fraction of one."""
    global _waiting
    _waiting = []


def now() -> None:
    """Do what was put off, and from now on everything at once. Cycles may run meanwhile."""
    global _waiting
    waiting = _waiting or ()
    _waiting = None
    for holder, names in waiting:
        at_once(holder, *names)


def bind(holder: object, *names: str) -> None:
    """Let the object hold its methods `names`, and make room among its attributes. Last in its constructor; takes
    heap."""
    if _waiting is None:
        at_once(holder, *names)
    else:
        _waiting.append((holder, names))


def at_once(holder: object, *names: str) -> None:
    """`bind` for an object that a hard interrupt asks: that must not meet a table while it grows."""
    for name in names:
        setattr(holder, name, getattr(holder, name))
    fillers = _FILLERS[: len(holder.__dict__) * ROOM // 10]
    for name in fillers:  # the table grows, and never shrinks
        setattr(holder, name, None)
    # From the last place to the first: so each leaves an empty place, and no mark that a search has to pass.
    for name in reversed(list(holder.__dict__)):
        if name in fillers:
            delattr(holder, name)
