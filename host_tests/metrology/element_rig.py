"""A front end that has run for a while, for the tests of the line that meters with it."""

from host_tests.mp.front_end import FrontEndRig

RATE_100A = 120 * 100 * 32_000 // 3600 // 10  # counts in one cycle at 100 A, 120 V, 32,000 counts per Wh


def running(amps=50.0, cycles=15, **options):
    b = FrontEndRig(**options)
    b.start()
    for n in range(len(b.lines)):
        b.drive(amps=amps, line=n)
    b.run(cycles)
    return b
