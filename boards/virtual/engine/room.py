"""Room in an object's table of attributes, on MicroPython. Called by what host/sim/tables.py makes of the sources."""

FOR_EACH = 2  # an even number: above 12 places a table has a prime number of them, so it is not full in between

_names = []


class _Thing:
    pass


def _name(text):
    """The text as MicroPython keeps names: it looks a text up among all names at each use."""
    thing = _Thing()
    setattr(thing, text, None)
    return list(thing.__dict__)[0]


def room(thing, count, methods):
    """Before `thing` has attributes: give it a table for twice `count` of them, its `methods` among them. A table
    grows, and never shrinks."""
    if len(thing.__dict__):
        return
    while len(_names) < FOR_EACH * count:
        _names.append(_name("room%d" % len(_names)))
    for name in _names[: FOR_EACH * count]:
        setattr(thing, name, None)
    # From the last place to the first: what stands before an empty place leaves an empty one, anything else a gap
    # that a search goes on through.
    for name in reversed(list(thing.__dict__)):
        delattr(thing, name)
    for name in methods:
        setattr(thing, name, getattr(thing, name))
