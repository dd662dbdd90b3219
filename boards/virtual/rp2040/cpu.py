"""The RP2040's interrupts as MicroPython sees them: alarms, the queue of soft callbacks, stalls, hangs.

Soft callbacks go through a queue of eight, are dropped without a word when it is full, and do not nest. They run while
the firmware sleeps, and with `interleave` also between any two bus calls of code that is itself no callback, as on the
chip.
"""

QUEUE_DEPTH = 8  # MICROPY_SCHEDULER_DEPTH of the rp2 port
CALM_RUNS = 4  # the callback of a hard timer that has seen nothing change so often may be skipped
EARLY_CHANCE = 8  # with `interleave` one bus call in so many takes until the next soft timer is due
EARLY_LIMIT_US = 100_000


class Alarm:
    """A running machine.Timer."""

    def __init__(self, cpu, due_us, period_us, fn, arg, hard):
        self._cpu = cpu
        self._period_us = period_us  # 0 = one shot
        self._fn = fn
        self._arg = arg
        self.hard = hard
        self.due_us = due_us
        self._seen = -1
        self._calm = 0
        self._fire = self._fire_hard if hard else self._fire_soft
        self._event = cpu.clock.at(due_us, self._fire, True)

    def cancel(self):
        """Stop for good."""
        cpu = self._cpu
        cpu.clock.cancel(self._event)
        if self in cpu.dormant:
            cpu.dormant.remove(self)
        if self in cpu.alarms:
            cpu.alarms.remove(self)

    def _again(self):
        """Plan the next time, a period after the last one was due, not after it ran: the SDK's alarms keep their phase
        and catch up."""
        self.due_us += self._period_us
        self._event = self._cpu.clock.at(self.due_us, self._fire, True)

    def _fire_soft(self):
        if self._period_us:
            self._again()
        else:
            self.cancel()
        self._cpu.soft(self._fn, self._arg)

    def _fire_hard(self):
        cpu = self._cpu
        if not self._period_us:
            self.cancel()
        before = cpu.stirs
        if not cpu.hard(self._fn, self._arg):
            self.cancel()  # an exception in a hard handler disables it
            return
        if not self._period_us or self not in cpu.alarms:
            return
        if before == cpu.stirs == self._seen:
            self._calm += 1
        else:
            self._calm = 0
            self._seen = cpu.stirs
        # Hard timers tick 43 million times a day. One that has run CALM_RUNS times while no ADC reading and no pin
        # but the bus lines changed is taken to be idle and skipped, phase kept, until one changes. Option `exact`
        # of the board turns this off.
        if self._calm >= CALM_RUNS and not cpu.exact and not cpu.restless:
            cpu.dormant.append(self)
        else:
            self._again()

    def wake(self):
        """Take up the phase again, because something has changed."""
        behind_us = self._cpu.clock.now_us - self.due_us
        if behind_us >= 0:
            self.due_us += behind_us // self._period_us * self._period_us
        self._calm = 0
        self._again()


class Cpu:
    """Interrupts, callbacks and faults of the one core that runs MicroPython."""

    def __init__(self, clock, rng, interleave=False, jitter_us=0, exact=False):
        self.clock = clock
        self._rng = rng
        self.exact = exact
        self.interleave = interleave
        self.jitter_us = jitter_us
        self.on_error = None  # called with the exception a callback let out
        self.dropped = 0  # soft callbacks that found the queue full
        self.stirs = 0  # changes of pins and of the converter's readings so far
        self.restless = False  # an analogue value changes by itself (the supply is failing): skip nothing
        self.alarms = []
        self.dormant = []
        clock.run_soft = self.run_soft
        self._life = 0
        self.restart()

    def restart(self):
        """Do what a reset of the core does: nothing is pending and nothing armed any more."""
        for alarm in list(self.alarms):
            alarm.cancel()
        self._life += 1
        self.runs_firmware = False  # MicroPython itself starts until then
        self._queue = []
        self.in_callback = False
        self._throw = None
        self.attention = self.interleave
        self.clock.reset_cpu()

    def start_alarm(self, delay_us, period_us, fn, arg, hard):
        """Start a timer; returns its alarm, which can be cancelled."""
        alarm = Alarm(self, self.clock.now_us + delay_us, period_us, fn, arg, hard)
        self.alarms.append(alarm)
        return alarm

    def soft(self, fn, arg):
        """Take a soft interrupt: `fn(arg)` joins the queue, late by up to `jitter_us` where that is set."""
        if not self.jitter_us:
            self.schedule(fn, arg)
            return
        life = self._life

        def late():
            if life == self._life:
                self.schedule(fn, arg)

        self.clock.at(self.clock.now_us + self._rng.below(self.jitter_us + 1), late, True)

    def schedule(self, fn, arg):
        """Put `fn(arg)` into the queue; False if it was full."""
        if len(self._queue) >= QUEUE_DEPTH:
            self.dropped += 1
            return False
        self._queue.append((fn, arg))
        return True

    def run_soft(self):
        """Run what is pending now, unless a callback is running. True where more came in meanwhile."""
        if not self._queue or self.in_callback or self.clock.cpu_blocked:
            return False
        # What comes in meanwhile waits: callbacks that take longer than their period must not shut out the main code.
        for _ in range(len(self._queue)):
            fn, arg = self._queue.pop(0)
            self.in_callback = True
            try:
                fn(arg)
            except Exception as error:
                self._report(error)
            finally:
                self.in_callback = False
        return bool(self._queue)

    def hard(self, fn, arg):
        """Take a hard interrupt: call `fn(arg)` now. False if it let an exception out.

        All interrupts have one priority: what falls due within one comes after it.
        """
        clock = self.clock
        inside = clock.cpu_blocked
        clock.cpu_blocked = True
        done = True
        try:
            fn(arg)
        except Exception as error:
            self._report(error)
            done = False
        if not inside:
            clock.resume()
        return done

    def stir(self):
        """Let hard timers that were skipped go on, because a pin or a reading of the converter has changed."""
        self.stirs += 1
        if self.dormant:
            sleepers = self.dormant
            self.dormant = []
            for alarm in sleepers:
                alarm.wake()

    def throw(self, error):
        """Fault: raise `error` at the next call to a front end (SPI) from a soft callback: in the measuring loop."""
        self._throw = error
        self.attention = True

    def at_bus(self, front_end):
        """Called before a bus call while `attention` is set."""
        if self.in_callback:
            error = self._throw
            if error is not None and front_end:
                self._throw = None
                self.attention = self.interleave
                raise error
        elif self.interleave:
            if self._rng.below(EARLY_CHANCE) == 0:
                self._take_until_due()
            self.run_soft()

    def _take_until_due(self):
        """Let the code since the last bus call have taken until the next soft timer is due."""
        due_us = self.clock.now_us + EARLY_LIMIT_US
        for alarm in self.alarms:
            if not alarm.hard and alarm.due_us < due_us:
                due_us = alarm.due_us
        if due_us < self.clock.now_us + EARLY_LIMIT_US:
            self.clock.spend(max(0, due_us - self.clock.now_us))

    def hang(self):
        """Fault: code and callbacks stop; only a reset or power cut, raised by an event, ends it."""
        clock = self.clock
        clock.cpu_blocked = True
        while True:
            clock.spend(max(0, clock.next_us - clock.now_us))

    def _report(self, error):
        if self.on_error is not None:
            self.on_error(error)
