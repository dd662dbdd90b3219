"""Makes room in an object's table of attributes on MicroPython, so that attributes are found faster. The code that
host/sim/tables.py makes of the sources calls it."""

FOR_EACH = 2  # even: above 12 places a table has a prime number of them, so that it never gets full

_names = []


class _Thing:
    pass


def _name(text):
    """The text as the object that MicroPython uses for a name; another text it would look up among all names each
    time."""
    thing = _Thing()
    setattr(thing, text, None)
    return list(thing.__dict__)[0]


def room(thing, count, methods):
    """Give `thing`, which has no attributes yet, a table with room for twice `count` attributes, and put its `methods`
    into it. A table grows with what is put into it, and never shrinks."""
    if len(thing.__dict__):
        return
    while len(_names) < FOR_EACH * count:
        _names.append(_name("room%d" % len(_names)))
    for name in _names[: FOR_EACH * count]:
        setattr(thing, name, None)
    # Deleted from the last place to the first: what stands before an empty place leaves an empty one behind, anything
    # else leaves a gap, behind which a search goes on.
    for name in reversed(list(thing.__dict__)):
        delattr(thing, name)
    for name in methods:
        setattr(thing, name, getattr(thing, name))
