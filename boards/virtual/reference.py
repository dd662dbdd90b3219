"""A metering board around the RP2040 (board.py), composed by the pins and parts in a board's own file.

That file is the module `parts`, which the firmware reads too, for instance boards/reference/board.py.
"""

from boards.virtual.ade7953.chip import Ade7953
from boards.virtual.board import Board
from boards.virtual.parts import climate, coil, fram, ht1621, mains, pcf85176, rail12, rs485, supply, tmp117
from boards.virtual.rp2040.flash import Flash

HOLDUP_MS = 80.0
COUNTER_MA = 8.0
SEAL_RISE_US = 8_000  # 100 nF at the seal's switch, charged by the RP2040's pull-up of 50 to 80 kohm
FLASH_BLOCKS = 352  # blocks in the filesystem's region of a stock MicroPython image


class Reference:
    """The parts by name: board, chips, mains, supply, lcd, memory, coil, rail12."""

    def __init__(self, parts, model, options, board):
        """`options` is the scenario's [board] table."""
        self.board = board
        self.parts = parts
        self._front_ends(parts, model, options)
        self._memory(parts)
        self._display(parts)
        self._twelve_volts(parts, options)
        self.pair = None
        self.supply = supply.Supply(board.clock, options.get("holdup_ms", HOLDUP_MS), board.power, self._set_restless)
        self.bulk_sense = None  # fault of the bulk voltage's sensor: what it makes of the true one, in mV; None: whole
        board.adc_uv[parts.ADC_BULK] = lambda: int(self._bulk_mv() * 1000 / parts.BULK_DIVIDER)
        self.mains.volts(self.supply.volts)
        self.climate = climate.Climate(
            board, self.chips + [self.mains], options.get("temperature", climate.START_C), **options.get("sensor", {})
        )
        if parts.TEMPERATURE[0] == "tmp117":
            _name, wires, address = parts.TEMPERATURE
            sensor = tmp117.Tmp117(board.clock, self.climate, board.seed)
            board.i2c[wires[0]].attach(sensor, address)
            board.devices.append(sensor)
        if parts.PIN_SEAL is not None:
            board.pins[parts.PIN_SEAL].capacitor(SEAL_RISE_US)
        self.seal(options.get("seal", "open") == "closed")

    def wire(self, tell, echo=False, other_unit=0):
        """Connect the RS-485 pair with a master at its other end, which `tell`s what it hears; nothing without a port.

        With `echo` the transceiver hears itself. `other_unit` is the unit of a second slave on the pair, 0: there is
        none.
        """
        if self.parts.RS485 is None:
            return
        number, _tx, _rx, enable = self.parts.RS485
        board = self.board
        self.pair = rs485.Pair(board.clock, board.seed)
        net = None if enable is None or board.turns_itself else board.pins[enable]
        rs485.Transceiver(board.uart(number), self.pair, net, echo)
        self.master = rs485.Master(board.clock, self.pair, tell)
        self.noise = rs485.Master(board.clock, self.pair, None)
        if other_unit:
            rs485.OtherUnit(board.clock, self.pair, other_unit)

    def _bulk_mv(self):
        mv = self.supply.bulk_v() * 1000
        return mv if self.bulk_sense is None else self.bulk_sense(mv)

    def seal(self, closed):
        """Open or close the seal's switch, which pulls its pin low while it is closed."""
        self.seal_closed = closed
        if self.parts.PIN_SEAL is not None:
            self.board.pins[self.parts.PIN_SEAL].drive(0 if closed else None)

    def _set_restless(self, restless):
        self.board.cpu.restless = restless
        self.board.cpu.stir()

    def _front_ends(self, parts, model, options):
        board = self.board
        self.chips = []
        self.irqs = []
        transformers = []
        for index in range(model.elements):
            bus, sck, _mosi, _miso, cs, irq, reset = parts.FRONT_ENDS[index]
            chip = Ade7953(
                board.clock, board.pins[irq].drive, board.seed * 2 + index, **options.get("chip%d" % (index + 1), {})
            )
            for pin in (sck, cs, irq, reset):
                board.pins[pin].board_pull(1)
            board.spi[bus].attach(chip, board.pins[cs])
            board.pins[reset].listen(lambda level, _t_us, chip=chip: chip.reset_pin(level))
            board.devices.append(chip)
            self.chips.append(chip)
            self.irqs.append(board.pins[irq])
            ct = options.get("ct%d" % (index + 1), {})
            transformers.append(mains.Ct(float(model.rating_a), **ct))
        self.mains = mains.Mains(
            board.clock, self.chips, model.full_scale_mv / 1000.0, model.full_scale_ma / 1000.0, transformers
        )

    def _memory(self, parts):
        board = self.board
        self.memory_kind = parts.MEMORY
        if parts.MEMORY == "fram":
            self.memory_bus = board.i2c[parts.I2C_MEMORY[0]]
            self.memory = fram.Fram(parts.FRAM_BYTES, board.seed, count_wear=False)
            self.memory_bus.attach(self.memory, parts.FRAM_ADDRESS)
        else:
            self.memory = board.flash = Flash(FLASH_BLOCKS, board.clock, board.seed)
        board.devices.append(self.memory)

    def _display(self, parts):
        board = self.board
        self.lcd = None
        if parts.DISPLAY == "pcf85176":
            self.lcd = pcf85176.Pcf85176(parts.PCF85176_ADDRESS, board.seed)
            board.i2c[parts.I2C_DISPLAY[0]].attach(self.lcd, parts.PCF85176_ADDRESS)
        elif parts.DISPLAY == "ht1621":
            self.lcd = ht1621.Ht1621(board.seed)
            for pin, listener in zip(parts.HT1621_PINS, (self.lcd.set_cs, self.lcd.set_wr, self.lcd.set_data)):
                board.pins[pin].quiet()
                board.pins[pin].board_pull(1)
                board.pins[pin].listen(listener)
        if self.lcd is not None:
            board.devices.append(self.lcd)

    def _twelve_volts(self, parts, options):
        board = self.board
        self.coil = coil.Coil(board.clock, board.pins[parts.PIN_COUNTER], options.get("counter_ma", COUNTER_MA))
        self.rail12 = rail12.Rail12(board.clock, board.pins[parts.PIN_RAIL12_ENABLE], self.coil, board.cpu.stir)
        board.adc_uv[parts.ADC_RAIL12] = lambda: int(self.rail12.sensed_ma() * parts.RAIL12_UV_PER_MA)


def new_board(config):
    """The RP2040 as an engine's configuration asks for it."""
    return Board(
        config.get("seed", 1),
        config.get("interleave", False),
        config.get("jitter_us", 0),
        config.get("exact", False),
        config.get("ticks_offset_us", 0),
    )
