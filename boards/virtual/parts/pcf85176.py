"""The PCF85176 LCD controller, byte by byte, written from the data sheet (NXP PCF85176, 40 x 4, I2C, write only).

The bytes after the slave address are commands. Bit 7 (C) of each says that another one follows; after the one in which
it is clear come data for the display. In 1:4 multiplex a byte of data fills two columns, each with rows 0 to 3: the
first one from bits 7 to 4, the second one from bits 3 to 0.
"""

COLUMNS = 40


class Pcf85176:
    """The controller as an I2C device. `seed` decides what its memory holds by chance at power-up. `on_refresh()` is
    called at the end of each transfer that has reached it."""

    def __init__(self, address=0x38, seed=1):
        self.address = address
        self.on_refresh = None
        self.silent = False
        self._seed = seed & 0x7FFFFFFF
        self._powered = False
        self.power(False)

    def power(self, on):
        """The supply comes: display disabled, 1:4 multiplex, 1/3 bias, pointers 0, and anything in the memory. Or it
        goes."""
        self._powered = on
        self.enabled = False
        self.mode = 0  # 0 = 1:4, 1 = static, 2 = 1:2, 3 = 1:3
        self.half_bias = False
        self.blink = 0
        self.pointer = 0
        self.subaddress = 0
        self.ram = self._noise()

    def corrupt(self):
        """A disturbance: the memory and the mode take arbitrary values."""
        self.ram = self._noise()
        self.mode = 1
        self.pointer = 17
        self._shown()

    def _noise(self):
        x = self._seed
        ram = bytearray(COLUMNS // 2)
        for i in range(len(ram)):
            x = (x * 1103515245 + 12345) & 0x7FFFFFFF
            ram[i] = x >> 16 & 0xFF
        self._seed = x
        return ram

    def write(self, data):
        """Take the bytes of one write transfer; returns how many were acknowledged, -1 where the address was not."""
        if not self._powered or self.silent:
            return -1
        length = len(data)
        i = 0
        more = True
        while more and i < length:
            more = self._command(data[i])
            i += 1
        if i < length:
            self._data(data, i)
        return length

    def read(self, _buf):
        """Nothing can be read from the controller: its address with the read bit is not acknowledged."""
        return False

    def stop(self):
        if self._powered and not self.silent:
            self._shown()

    def _shown(self):
        if self.on_refresh is not None:
            self.on_refresh()

    def _command(self, byte):
        """Carry out one command; True where another one follows."""
        if byte & 0x40 == 0:  # load data pointer, C 0 P5..P0
            if byte & 0x3F < COLUMNS:
                self.pointer = byte & 0x3F
        elif byte & 0x60 == 0x40:  # mode set, C 1 0 - E B M1 M0
            self.enabled = bool(byte & 8)
            self.half_bias = bool(byte & 4)
            self.mode = byte & 3
        elif byte & 0x78 == 0x60:  # device select, C 1 1 0 0 A2 A1 A0
            self.subaddress = byte & 7
        elif byte & 0x78 == 0x70:  # blink select, C 1 1 1 0 A BF1 BF0
            self.blink = byte & 3
        # bank select, C 1 1 1 1 0 I O: without effect in 1:3 and 1:4
        return bool(byte & 0x80)

    def _data(self, data, start):
        """Take data for the display; those beyond the last column are for another device."""
        ram = self.ram
        column = self.pointer
        if not self.subaddress and not column & 1:  # whole bytes, as many as there is room for
            end = min(len(data), start + COLUMNS // 2 - (column >> 1))
            ram[column >> 1 : (column >> 1) + end - start] = data[start:end]
            column += 2 * (end - start)
            if column == COLUMNS:
                column = 0
                self.subaddress = 1
            start = end
        for i in range(start, len(data)):
            byte = data[i]
            if self.subaddress:
                pass
            elif column & 1:
                _put(ram, column, byte >> 4)
                if column + 1 < COLUMNS:
                    _put(ram, column + 1, byte & 15)
            else:
                ram[column >> 1] = byte
            column += 2
            if column >= COLUMNS:
                column -= COLUMNS
                self.subaddress = (self.subaddress + 1) & 7
        self.pointer = column

    def lit(self):
        """The dots that are driven, 20 bytes in the order of the memory; none while the display is disabled, or while
        it is multiplexed for another glass."""
        if not self._powered or not self.enabled or self.mode or self.half_bias:
            return bytes(COLUMNS // 2)
        return bytes(self.ram)


def _put(ram, column, nibble):
    k = column >> 1
    if column & 1:
        ram[k] = (ram[k] & 0xF0) | nibble
    else:
        ram[k] = (ram[k] & 0x0F) | nibble << 4
