"""True simulated time: an integer of microseconds that never wraps, and the events that are due on it.

Two ways to move on: `spend` is time that passes on a bus or in a peripheral (devices and hard interrupts go on,
firmware's soft callbacks do not), `sleep` is the firmware waiting (everything due fires, in order).
"""

from heapq import heapify, heappop, heappush

NEVER = 1 << 60  # a small integer on 64-bit MicroPython
AGAIN_US = 1  # from the end of the soft callbacks to those that came in while they ran


class Clock:
    """The board's time base, microseconds since the start of the simulation."""

    def __init__(self):
        self.now_us = 0
        self.next_us = NEVER  # when the earliest event is due, so that most bus calls need not look into the heap
        self.run_soft = None  # runs the firmware's pending soft callbacks; set by the CPU model
        self.on_wait = None  # called while the firmware waits (engine/heap.py)
        self.break_in = None  # raises KeyboardInterrupt in the main code when one is pending (engine/console.py)
        self.cpu_blocked = False  # events for the CPU wait: it stalls, flash is erased, or interrupts are disabled
        self._heap = []
        self._held = []
        self._sequence = 0  # of events: those of the same instant fire in the order in which they were asked for
        self._cancelled = 0

    def at(self, t_us, fn, cpu=False):
        """Call `fn()` at `t_us`, or with the next move where that is past. Returns what `cancel` takes. `cpu`: whether
        only a running CPU can do it."""
        # A list, because MicroPython takes longer to make an object, and a simulated day has millions of events.
        event = [fn, cpu]
        self._sequence += 1
        heappush(self._heap, (t_us, self._sequence, event))
        if t_us < self.next_us:
            self.next_us = t_us
        return event

    def cancel(self, event):
        """Forget an event; one that has fired or was cancelled already is ignored."""
        if event[0] is None:
            return
        event[0] = None
        self._cancelled += 1
        if self._cancelled > 64 and 2 * self._cancelled > len(self._heap):
            self._cancelled = 0
            heap = [entry for entry in self._heap if entry[2][0] is not None]
            heapify(heap)
            self._heap = heap
            self.next_us = heap[0][0] if heap else NEVER

    def spend(self, us):
        """Move on by `us`: devices and hard interrupts fire, soft callbacks of the firmware do not."""
        t_us = self.now_us + us
        if t_us < self.next_us:
            self.now_us = t_us
        else:
            self._advance(t_us)

    def sleep(self, us):
        """Move on by `us` and let everything fire in order, the firmware's soft callbacks included."""
        end_us = self.now_us + us
        run_soft = self.run_soft
        while True:
            more = run_soft is not None and run_soft()
            if self.break_in is not None:
                self.break_in()
            if more and self.now_us < end_us:
                self.spend(AGAIN_US)  # what a callback has queued does not wait for the next event
                continue
            if self.next_us > end_us:
                break
            if self.on_wait is not None:
                self.on_wait()
            self._advance(self.next_us if self.next_us > self.now_us else self.now_us)
        if self.now_us < end_us:
            self.now_us = end_us

    def next_event(self):
        """Sleep until the next event has fired."""
        self.sleep(max(0, self.next_us - self.now_us))

    def stall(self, us):
        """Let the CPU stand still for `us`. Devices, PIO and the watchdog go on; what is due for the CPU comes late."""
        blocked = self.cpu_blocked
        self.cpu_blocked = True
        self._advance(self.now_us + us)
        if not blocked:
            self.release()

    def release(self):
        """Let the CPU run again: what it has missed fires now, in the order in which it was due."""
        self.cpu_blocked = False
        for entry in self._held:
            heappush(self._heap, entry)
        self._held = []
        self.next_us = self._heap[0][0] if self._heap else NEVER
        self.spend(0)

    def resume(self):
        """Do as `release` does, where there may be nothing that was missed."""
        if self._held:
            self.release()
        else:
            self.cpu_blocked = False

    def reset_cpu(self):
        """Start the CPU anew: what has waited for it is gone."""
        self.cpu_blocked = False
        self._held = []

    def _advance(self, end_us):
        while self._heap and self._heap[0][0] <= end_us:
            entry = heappop(self._heap)
            # Kept true before the call: an event may spend time, add events, or raise a power cut.
            self.next_us = self._heap[0][0] if self._heap else NEVER
            event = entry[2]
            fn, cpu = event
            if fn is None:
                self._cancelled -= 1
                continue
            if entry[0] > self.now_us:
                self.now_us = entry[0]
            if cpu and self.cpu_blocked:
                self._held.append(entry)
                continue
            event[0] = None
            fn()
        if self.now_us < end_us:
            self.now_us = end_us
