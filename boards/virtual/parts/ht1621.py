"""The HT1621B LCD controller at its wires, written from the data sheet (Holtek HT1621, 32 x 4, CS WR DATA).

CS low opens a frame, which begins with three bits for its mode. In a write six bits of an address follow, the highest
first, and then data of four bits for each address, D0, which is common 0, first. For commands there follow eight bits
and one that does not matter, as often as wanted. DATA is taken at the rising edge of WR.
"""

_SYS_DIS, _SYS_EN, _LCD_OFF, _LCD_ON = 0x00, 0x01, 0x02, 0x03


class Ht1621:
    """The controller, which listens to its three pins. `on_refresh()` is called at the end of each frame that wrote
    into its memory."""

    def __init__(self, seed=1):
        self.on_refresh = None
        self.silent = False  # fault: its wires are broken, so that it takes nothing
        self._seed = seed & 0x7FFFFFFF
        self._cs = self._wr = self._data = 1
        self.power(False)

    def power(self, on):
        """The supply comes: the system is disabled, and the memory holds anything. Or it goes."""
        self._powered = on
        self.system = False
        self.on = False
        self.commons = 2
        self.third_bias = False
        self.ram = self._noise()
        self._reset_frame()

    def corrupt(self):
        """A disturbance: the memory takes arbitrary values and the system stops."""
        self.ram = self._noise()
        self.system = False
        if self.on_refresh is not None:
            self.on_refresh()

    def _noise(self):
        x = self._seed
        ram = bytearray(32)
        for i in range(32):
            x = (x * 1103515245 + 12345) & 0x7FFFFFFF
            ram[i] = x >> 16 & 0xF
        self._seed = x
        return ram

    def _reset_frame(self):
        self._bits = 0
        self._count = 0
        self._mode = 0
        self._address = 0
        self._wrote = False

    def set_cs(self, level, _t_us=0):
        if level == self._cs:
            return
        self._cs = level
        if level:
            wrote = self._wrote
            self._reset_frame()
            if wrote and self.on_refresh is not None:
                self.on_refresh()
        else:
            self._reset_frame()

    def set_data(self, level, _t_us=0):
        self._data = level

    def set_wr(self, level, _t_us=0):
        if level == self._wr:
            return
        self._wr = level
        if not level or self._cs or not self._powered or self.silent:
            return
        self._bits = self._bits << 1 | self._data
        self._count += 1
        mode = self._mode
        if mode == 0:
            if self._count == 3:
                self._mode = self._bits if self._bits in (4, 5, 6) else 7
                self._bits = self._count = 0
        elif mode == 4:
            if self._count == 9:
                self._command(self._bits >> 1)
                self._bits = self._count = 0
        elif mode == 5:
            if self._count == 6:
                self._address = self._bits & 31
                self._mode = 8
                self._bits = self._count = 0
        elif mode == 8 and self._count == 4:
            self.ram[self._address] = self._bits  # D0 came first: it is the high bit here
            self._address = (self._address + 1) & 31
            self._wrote = True
            self._bits = self._count = 0

    def _command(self, code):
        if code == _SYS_DIS:
            self.system = self.on = False
        elif code == _SYS_EN:
            self.system = True
        elif code == _LCD_OFF:
            self.on = False
        elif code == _LCD_ON:
            self.on = True
        elif code & 0xF0 == 0x20:  # BIAS, 0 0 1 0 a b X c
            self.commons = 2 + (code >> 2 & 3)
            self.third_bias = bool(code & 1)

    def lit(self):
        """The dots that are driven, 20 bytes: byte k holds segment line 2k in its high half and 2k + 1 in its low half,
        common 0 in the highest bit of each."""
        image = bytearray(20)
        if self._powered and self.system and self.on and self.commons == 4 and self.third_bias:
            for i in range(16):
                image[i] = self.ram[2 * i] << 4 | self.ram[2 * i + 1]
        return bytes(image)
