"""What the board does, as items of the link (edges, glass, boots, errors), streamed out in portions.

Items: ["edge", t_us, signal, level], ["lcd", t_us, {...}], ["boot", t_us, cause],
["error", t_us, text], ["console", t_us, text],
["serial", t_us, text, end_us]. Those of the glass come up to 1.15 s after their time (parts/glass.py).
"""

PORTION = 200  # items kept before they are sent ahead of the answer: the 32-bit engine has a 1 MB heap


class Recorder:
    """Collects items; `flush(items)` sends a portion away."""

    def __init__(self, clock, flush):
        self.items = []
        self.rises = {}  # signal -> off-to-on edges
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
        """The glass says something else (callback of glass.GlassReader)."""
        self.add(["lcd", t_us, record])

    def serial(self, text, first_us, last_us):
        """What came out of the RS-485 port, one character a byte: start of the first and end of the last one."""
        self.add(["serial", first_us, text, last_us])

    def add(self, item):
        """One more item."""
        self.items.append(item)
        if len(self.items) >= PORTION:
            self._flush(self.take())

    def take(self):
        """What has come since the last time."""
        items = self.items
        self.items = []
        return items
