"""Stand-in for the module `time`: MicroPython's clock functions, on simulated time.

Counters wrap where the RP2040 port's do: at 2^30. On CPython everything else comes from the real module.
"""

import time as _real

_MASK = (1 << 30) - 1
_HALF = 1 << 29
_POLLS = 64  # so many looks at the clock in a row take no time, then each takes _POLL_US
_POLL_US = 5

_clock = None
_offset_us = 0
_last_us = -1
_polls = 0


def attach(clock, offset_us=0):
    """Count `clock`'s time from now on, starting at `offset_us` (the RP2040 has just started)."""
    global _clock, _offset_us
    _clock = clock
    _offset_us = offset_us - clock.now_us


def ticks_us():
    """Microseconds, 0 .. 2^30 - 1."""
    global _last_us, _polls
    if _clock.break_in is not None:
        _clock.break_in()
    now_us = _clock.now_us
    if now_us != _last_us:
        _last_us = now_us
        _polls = 0
    else:
        # Code that waits by looking at the clock must see it move.
        _polls += 1
        if _polls > _POLLS:
            _clock.spend(_POLL_US)
            now_us = _last_us = _clock.now_us
    return (now_us + _offset_us) & _MASK


def ticks_ms():
    """Milliseconds, 0 .. 2^30 - 1."""
    ticks_us()
    return (_clock.now_us + _offset_us) // 1000 & _MASK


def ticks_cpu():
    """The RP2040 port has no finer counter here."""
    return ticks_us()


def ticks_diff(end, start):
    """end - start across a wrap, -2^29 .. 2^29 - 1."""
    return ((end - start + _HALF) & _MASK) - _HALF


def ticks_add(ticks, delta):
    """A tick value `delta` later."""
    if not -_HALF < delta < _HALF:
        raise OverflowError("ticks interval overflow")
    return (ticks + delta) & _MASK


def sleep_us(us):
    """Wait `us` microseconds; negative: not at all."""
    _clock.sleep(max(0, int(us)))


def sleep_ms(ms):
    """Wait `ms` milliseconds."""
    _clock.sleep(max(0, int(ms)) * 1000)


def sleep(seconds):
    """Wait `seconds`, which may be a fraction."""
    _clock.sleep(max(0, int(seconds * 1000000)))


def __getattr__(name):
    return getattr(_real, name)
