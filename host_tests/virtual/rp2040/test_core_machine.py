"""The stand-in for `machine` on bare wires: pins, buses, converter, watchdog; names and errors are the port's."""

import pytest

from boards.virtual.board import Board
from boards.virtual.halt import PowerCut, Reset
from boards.virtual.parts.fram import Fram


@pytest.fixture
def board():
    made = Board()
    made.install()
    yield made
    made.uninstall()


class Echo:
    """An SPI device that answers with what it got, inverted, and may hold MISO when not selected."""

    def __init__(self):
        self.levels = []
        self.got = []
        self.idle = None

    def cs(self, level, _t_us):
        self.levels.append(level)

    def exchange(self, tx, rx):
        self.got.append(bytes(tx))
        if rx is not None:
            rx[:] = bytes(b ^ 0xFF for b in tx)
        return True

    def clock_rate(self, hz):
        pass

    def idle_miso(self):
        return self.idle


def spi(board, *devices, polarity=1, phase=1, hertz=4_000_000):
    from machine import SPI, Pin

    pins = []
    for n, device in enumerate(devices):
        board.pins[17 + n].board_pull(1)
        board.spi[0].attach(device, board.pins[17 + n])
        pins.append(Pin(17 + n, Pin.OUT, value=1))
    return SPI(0, hertz, polarity=polarity, phase=phase, sck=Pin(2), mosi=Pin(3), miso=Pin(4)), pins


# Pins


def test_pads_are_pulled_down_in_reset_and_10k_pull_ups_win(board):
    from machine import Pin

    assert board.pins[5].level == 0
    board.pins[6].board_pull(1)
    assert board.pins[6].level == 1
    chip_select = Pin(6, Pin.OUT, value=0)
    output = Pin(7, Pin.OUT, value=1)
    assert (chip_select(), output(), board.pins[6].level) == (0, 1, 0)
    board.restart("watchdog")
    assert (board.pins[6].level, board.pins[7].level) == (1, 0)


def test_an_output_starts_with_its_value_without_a_glitch(board):
    from machine import Pin

    edges = []
    board.pins[6].board_pull(1)
    board.pins[6].listen(lambda level, _t_us: edges.append(level))
    Pin(6, Pin.OUT, value=1)
    assert edges == []


def test_inputs_pulls_open_drain_and_outside_levels(board):
    from machine import Pin

    pin = Pin(8, Pin.IN, Pin.PULL_UP)
    assert pin.value() == 1
    board.pins[8].drive(0)
    assert pin() == 0
    board.pins[8].drive(None)
    assert pin() == 1
    drain = Pin(9, Pin.OPEN_DRAIN, Pin.PULL_UP, value=1)
    assert drain() == 1
    drain(0)
    assert drain() == 0
    drain(1)
    board.pins[9].drive(0)
    assert drain() == 0
    with pytest.raises(ValueError, match="invalid pin"):
        Pin(30)
    assert repr(Pin("GPIO4")) == "Pin(GPIO4)"


def test_toggle_on_off_high_low(board):
    from machine import Pin

    pin = Pin(1, Pin.OUT)
    pin.toggle()
    assert pin() == 1
    pin.off()
    assert pin.value() == 0
    pin.high()
    assert board.pins[1].level == 1


def test_pin_interrupts_soft_and_hard(board):
    from machine import Pin

    log = []
    pin = Pin(20, Pin.IN, Pin.PULL_UP)
    pin.irq(lambda p: log.append(("soft", p())), Pin.IRQ_FALLING)
    other = Pin(21, Pin.IN, Pin.PULL_UP)
    other.irq(lambda p: log.append(("hard", p())), Pin.IRQ_FALLING | Pin.IRQ_RISING, hard=True)
    board.pins[20].drive(0)
    board.pins[21].drive(0)
    assert log == [("hard", 0)]
    board.clock.sleep(0)
    assert log == [("hard", 0), ("soft", 0)]
    board.pins[20].drive(1)  # a rising edge was not asked for
    board.pins[21].drive(1)
    board.clock.sleep(0)
    assert log[2:] == [("hard", 1)]
    other.irq(None)
    board.pins[21].drive(0)
    assert len(log) == 3


# SPI


def test_spi_takes_its_wire_time(board):
    bus, (cs,) = spi(board, Echo(), hertz=4_000_000)
    got = bytearray(7)
    cs(0)
    bus.write_readinto(b"\x01\x02\x03\x04\x05\x06\x07", got)
    cs(1)
    assert board.clock.now_us == 14
    assert got == b"\xfe\xfd\xfc\xfb\xfa\xf9\xf8"
    with pytest.raises(ValueError, match="buffers must be the same length"):
        bus.write_readinto(b"12", bytearray(3))
    assert bus.read(2, 0x55) == b"\x00\x00"  # nobody selected, nobody drives MISO


def test_field_bug_7_the_wrong_clock_phase_shifts_every_bit(board):
    """CONFIG (0x8004) then reads 0x4002, as people have reported."""

    class Config(Echo):
        def exchange(self, _tx, rx):
            rx[:] = b"\x00\x00\x00\x80\x04"
            return True

    bus, (cs,) = spi(board, Config(), polarity=0, phase=1)
    got = bytearray(5)
    cs(0)
    bus.write_readinto(bytes(5), got)
    assert got == b"\x00\x00\x00\x40\x02"


def test_field_bug_8_an_unlocked_chip_on_the_same_bus_spoils_the_others_answers(board):
    one, two = Echo(), Echo()
    bus, (cs_one, _) = spi(board, one, two)
    got = bytearray(2)
    two.idle = 1
    cs_one(0)
    bus.write_readinto(b"\x55\x55", got)
    assert got == b"\xff\xff" and one.got == [b"\x55\x55"] and two.got == []
    two.idle = None
    bus.write_readinto(b"\x55\x55", got)
    assert got == b"\xaa\xaa"


def test_a_power_cut_in_the_middle_of_a_frame(board):
    device = Echo()
    bus, (cs,) = spi(board, device, hertz=1_000_000)
    board.clock.at(20, lambda: board.power(False))
    cs(0)
    with pytest.raises(PowerCut):
        bus.write(bytes(4))
    assert board.clock.now_us == 20 and device.got == []
    board.restart("power")
    assert device.levels == [0, 1]  # the pull-up ends the frame


# I2C


def i2c(timeout=50_000):
    from machine import I2C, Pin

    return I2C(0, scl=Pin(5), sda=Pin(4), freq=400_000, timeout=timeout)


def test_i2c_nine_bits_a_byte_and_nak(board):
    memory = Fram(8192)
    board.i2c[0].attach(memory, 0x50)
    bus = i2c()
    assert bus.writeto(0x50, b"\x01\x00abc") == 5
    assert board.clock.now_us == 6 * 23  # 22.5 us a byte
    assert bus.readfrom_mem(0x50, 0x100, 3, addrsize=16) == b"abc"
    bus.writeto_mem(0x50, 0x200, b"xyz", addrsize=16)
    buf = bytearray(3)
    bus.writeto(0x50, b"\x02\x00", False)
    bus.readfrom_into(0x50, buf)
    assert buf == b"xyz"
    with pytest.raises(OSError) as caught:
        bus.writeto(0x51, b"a")
    assert caught.value.errno == 5
    with pytest.raises(OSError):
        bus.readfrom(0x51, 1)
    assert bus.scan() == [0x50]


def test_i2c_stuck_bus_times_out(board):
    board.i2c[0].stuck = True
    before_us = board.clock.now_us
    with pytest.raises(OSError) as caught:
        i2c(timeout=5000).writeto(0x50, b"a")
    assert caught.value.errno == 110
    assert board.clock.now_us - before_us == 5000


def test_ST_1_a_power_cut_in_the_middle_of_an_i2c_write_leaves_the_bytes_so_far(board):
    memory = Fram(8192)
    board.i2c[0].attach(memory, 0x50)
    board.devices.append(memory)
    bus = i2c()
    board.clock.at(23 * 6 + 1, lambda: board.power(False))  # address, pointer, three bytes are through
    with pytest.raises(PowerCut):
        bus.writeto(0x50, b"\x00\x10abcdefgh")
    assert memory.memory[0x10:0x18] == b"abc\x00\x00\x00\x00\x00"


def test_an_event_during_a_transfer_that_is_no_power_cut_changes_nothing(board):
    memory = Fram(8192)
    board.i2c[0].attach(memory, 0x50)
    log = []
    board.clock.at(50, lambda: log.append(bytes(memory.memory[0x10:0x12])))
    i2c().writeto(0x50, b"\x00\x10ab")
    assert log == [b"\x00\x00"] and memory.memory[0x10:0x12] == b"ab"


# The rest


def test_adc_is_twelve_bits_wide(board):
    from machine import ADC, Pin

    board.adc_uv[26] = 1_650_000
    assert ADC(26).read_u16() == ADC(Pin(26)).read_u16() == ADC(0).read_u16() == 2047 << 4 | 2047 >> 8
    board.adc_uv[26] = lambda: 5_000_000
    assert ADC(26).read_u16() == 65_535
    board.adc_uv[26] = -10
    assert ADC(26).read_u16() == 0
    with pytest.raises(ValueError, match="ADC capabilities"):
        ADC(5)


def test_watchdog_resets_and_cannot_be_stopped(board):
    import machine

    with pytest.raises(ValueError, match="8388"):
        machine.WDT(timeout=8389)
    assert machine.reset_cause() == machine.PWRON_RESET == 1
    dog = machine.WDT(timeout=100)
    board.clock.sleep(90_000)
    dog.feed()
    with pytest.raises(Reset):
        machine.soft_reset()
    board.restart("soft")
    with pytest.raises(Reset) as caught:
        board.clock.sleep(1_000_000)
    assert caught.value.cause == "watchdog" and board.clock.now_us == 190_000
    board.restart("watchdog")
    assert machine.reset_cause() == machine.WDT_RESET == 3
    board.clock.sleep(1_000_000)


def test_DR_11_scratch_registers_survive_everything_but_the_supply(board):
    import machine

    machine.mem32[0x40058014] = 0x6F4B5355
    with pytest.raises(Reset):
        machine.reset()
    board.restart("reset")
    assert machine.mem32[0x40058014] == 0x6F4B5355
    assert machine.reset_cause() == machine.WDT_RESET  # machine.reset() reads as that, too
    board.restart("power")
    assert machine.mem32[0x40058014] == 0 and machine.reset_cause() == machine.PWRON_RESET


def test_ticks_start_anew_with_the_rp2040(board):
    import time

    board.clock.spend(5_000_000)
    board.restart("soft")
    assert time.ticks_us() == 5_000_000
    board.restart("watchdog")
    assert time.ticks_us() == 0


def test_the_real_modules_come_back():
    import sys
    import time

    made = Board()
    made.install()
    assert sys.modules["time"] is not time
    made.uninstall()
    assert sys.modules["time"] is time and "machine" not in sys.modules
