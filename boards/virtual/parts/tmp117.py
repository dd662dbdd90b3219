"""TMP117 temperature sensor at the byte level, written from the data sheet (TI SNOSD82D).

A write sets the pointer to a register, and further bytes go into that register; a read gives the register's two bytes,
the upper one first, again and again. The sensor converts by itself, unless its configuration says shutdown. One-shot
mode, limits with their alerts, offset and EEPROM are not simulated.
"""

from boards.virtual.rng import Rng

STREAM = 9  # its stream of random numbers
RESULT, CONFIGURATION, IDENTITY = 0x00, 0x01, 0x0F
AFTER_RESET = {RESULT: 0x8000, CONFIGURATION: 0x0220, 0x02: 0x6000, 0x03: 0x8000, IDENTITY: 0x0117}
DATA_READY = 0x2000
SHUTDOWN = 0x0400  # of the mode in bits 11 and 10
WRITABLE = 0x0FFC  # bits of the configuration
ERROR_K = 0.1  # the largest error from -20 to 50 degC
START_US = 1_500
CONVERSION_US = 15_500
AVERAGED = (1, 8, 32, 64)  # conversions of a result, by AVG in bits 6 and 5
CYCLE_US = (15_500, 125_000, 250_000, 500_000, 1_000_000, 4_000_000, 8_000_000, 16_000_000)  # by CONV in bits 9 to 7


class Tmp117:
    """The sensor as an I2C device. `climate` says how warm it is, and has the faults of the board's sensor
    (climate.py)."""

    def __init__(self, clock, climate, seed, identity=0x0117):
        self._clock = clock
        self._climate = climate
        self._rng = Rng(seed, STREAM)
        self._error_k = ERROR_K * (2.0 * self._rng.fraction() - 1.0)
        self._identity = identity
        self._powered = False
        self._run = 0  # number of the newest series of conversions; what was planned in older ones is dropped
        self._pointer = RESULT
        self.registers = dict(AFTER_RESET)

    def power(self, on):
        """Switch the supply on or off. Registers are as after a reset; the first result comes a conversion later."""
        self._powered = on
        self.registers = dict(AFTER_RESET)
        self.registers[IDENTITY] = self._identity
        self._pointer = RESULT
        self._run += 1
        if on:
            self._plan(self._clock.now_us + START_US)

    def _plan(self, start_us):
        """Have the next conversion begin at `start_us`."""
        run = self._run
        averaged = AVERAGED[self.registers[CONFIGURATION] >> 5 & 3]
        self._clock.at(start_us + averaged * CONVERSION_US, lambda: self._converted(run, start_us))

    def _converted(self, run, start_us):
        configuration = self.registers[CONFIGURATION]
        if run != self._run or configuration & 0x0C00 == SHUTDOWN:
            return
        kelvin = self._climate.celsius + self._climate.jump_k + self._error_k
        steps = round(kelvin * 128.0 + 2.0 * self._rng.fraction() - 1.0)
        self.registers[RESULT] = max(-32_768, min(32_767, steps)) & 0xFFFF
        self.registers[CONFIGURATION] |= DATA_READY
        converts_us = AVERAGED[configuration >> 5 & 3] * CONVERSION_US
        self._plan(start_us + max(CYCLE_US[configuration >> 7 & 7], converts_us))

    def write(self, data):
        """Take the bytes of a write transfer. Returns how many were acknowledged; -1: not even the address."""
        if not self._powered or self._climate.broken_uv is not None:
            return -1
        if data:
            self._pointer = data[0] & 0x0F
        if len(data) >= 3 and self._pointer == CONFIGURATION:
            kept = self.registers[CONFIGURATION] & ~WRITABLE
            self.registers[CONFIGURATION] = kept | (data[1] << 8 | data[2]) & WRITABLE
            self._run += 1
            if self.registers[CONFIGURATION] & 0x0C00 != SHUTDOWN:
                self._plan(self._clock.now_us)
        return len(data)

    def read(self, buf):
        """Fill `buf` with the bytes of a read transfer. False where the sensor does not answer."""
        if not self._powered or self._climate.broken_uv is not None:
            return False
        value = self.registers.get(self._pointer, 0)
        for i in range(len(buf)):
            buf[i] = value >> (0 if i & 1 else 8) & 0xFF
        if self._pointer in (RESULT, CONFIGURATION):
            self.registers[CONFIGURATION] &= ~DATA_READY
        return True

    def stop(self):
        """The end of a transfer, at which nothing changes: the pointer stays where it is."""
