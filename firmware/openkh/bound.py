"""Methods that are looked for once, not at each call.

MicroPython looks for a method in the object first, where it never is, and then in its class and in each class that this
one inherits from; what is not found is not remembered. In the measuring cycle that was a tenth of the time. A method
that the object itself holds is found at once.
"""


def bind(holder: object, names: str) -> None:
    """Let the object hold its methods `names` (with spaces between). Last in its constructor; takes heap."""
    for name in names.split():
        setattr(holder, name, getattr(holder, name))
