"""What the board does, as items for the host (edges, glass, boots, errors), sent out in portions.

The items are ["edge", t_us, signal, level], ["lcd", t_us, {...}], ["boot", t_us, cause], ["error", t_us, text],
["console", t_us, text] and ["serial", t_us, text, end_us]. Those of the glass come up to 1.65 s after the time that
they name (parts/glass.py).
"""

PORTION = 200  # so many items are kept, then sent ahead of the answer: the 32-bit engine has a heap of 1 MB only


class Recorder:
    """Collects items; `flush(items)` is called to send a portion away."""

    def __init__(self, clock, flush):
        self.items = []
        self.rises = {}  # by signal: how many off-to-on edges it has had
        self.levels = {}
        self._clock = clock
        self._flush = flush

    def watch(self, net, signal):
        """Record every change of a pin as `signal`."""
        self.rises[signal] = 0
        self.levels[signal] = net.level

        def changed(level, t_us):
            self.levels[signal] = level
            if level:
                self.rises[signal] += 1
            self.add(["edge", t_us, signal, level])

        net.listen(changed)

    def lcd(self, t_us, record):
        """Take in that the glass says something else (GlassReader calls this)."""
        self.add(["lcd", t_us, record])

    def serial(self, text, first_us, last_us):
        """Take in what came out of the RS-485 port, a character for each byte, with the start of its first one and the
        end of its last one."""
        self.add(["serial", first_us, text, last_us])

    def add(self, item):
        """Add an item."""
        self.items.append(item)
        if len(self.items) >= PORTION:
            self._flush(self.take())

    def take(self):
        """Return the items that have come since the last call."""
        items = self.items
        self.items = []
        return items
