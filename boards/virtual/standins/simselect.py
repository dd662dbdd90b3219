"""Stand-in for the module `select`: polls the board's console on simulated time, everything else as it is."""

try:
    import select as _real
except ImportError:  # the 32-bit build has none
    _real = None

POLLIN = 1
POLLOUT = 4

_clock = None
_console = None


def attach(clock, console):
    """The console that stands for `sys.stdin`; None: nothing is ever typed."""
    global _clock, _console
    _clock = clock
    _console = console


class poll:  # noqa: N801
    """A poll object for `sys.stdin` alone."""

    def __init__(self):
        self._streams = []

    def register(self, stream, _eventmask=POLLIN):
        """Look at `stream`."""
        self._streams.append(stream)

    def poll(self, timeout_ms=-1):
        """The streams that can be read, after `timeout_ms` at most."""
        # Where nothing can be typed no time passes: the 32-bit build does not survive all waiting (engine/heap.py).
        return [] if _console is None else self._wait(timeout_ms)

    def _wait(self, timeout_ms):
        end_us = _clock.now_us + timeout_ms * 1000
        while not _console.waiting():
            left_us = end_us - _clock.now_us
            if timeout_ms >= 0 and left_us <= 0:
                return []
            next_us = _clock.next_us - _clock.now_us
            _clock.sleep(max(0, next_us if timeout_ms < 0 else min(left_us, next_us)))
        return [(stream, POLLIN) for stream in self._streams]


def __getattr__(name):
    return getattr(_real, name)
