"""Stand-in for the module `micropython`: `schedule` goes to the simulated queue, the rest to the real one."""

import sys

if sys.implementation.name == "micropython":
    from micropython import (  # noqa: F401
        const,
        heap_lock,
        heap_unlock,
        mem_info,
        opt_level,
        qstr_info,
        stack_use,
    )
else:

    def const(value):
        """A constant."""
        return value

    def heap_lock():
        """Does nothing here."""

    def heap_unlock():
        """Does nothing here."""
        return 0

    def mem_info(verbose=0):
        """Does nothing here."""

    def qstr_info(verbose=0):
        """Does nothing here."""

    def opt_level(_level=None):
        """Always 0 here."""
        return 0

    def stack_use():
        """Unknown here."""
        return 0

    def native(fn):
        """As it is."""
        return fn

    viper = native

_cpu = None
interrupt_char = -1  # the character that interrupts; -1 = none


def attach(cpu):
    """Schedule on `cpu` from now on."""
    global _cpu
    _cpu = cpu


def schedule(fn, arg):
    """Run `fn(arg)` soon; RuntimeError if the queue is full."""
    if not _cpu.schedule(fn, arg):
        raise RuntimeError("schedule queue full")


def kbd_intr(char):
    """Which character interrupts; -1 = none."""
    global interrupt_char
    interrupt_char = char


def alloc_emergency_exception_buf(_size):
    """Nothing to do here."""
