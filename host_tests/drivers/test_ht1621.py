"""HT1621B driver against the simulated controller (LC-6)."""

import pytest

from boards.virtual.parts.ht1621 import Ht1621 as Controller
from openkh.drivers.ht1621 import Ht1621

IMAGE = bytearray((i * 37 + 11) & 0xFF for i in range(20))


@pytest.fixture
def controller():
    controller = Controller(seed=7)
    controller.power(True)
    return controller


def driver_of(controller):
    return Ht1621(controller.set_cs, controller.set_wr, controller.set_data)


def test_one_refresh_brings_up_a_controller_fresh_from_reset(controller):
    assert controller.lit() == bytes(20)
    assert driver_of(controller).show(IMAGE) is True
    assert controller.lit() == bytes(IMAGE[:16]) + bytes(4)  # 32 segment lines


def test_each_refresh_mends_a_disturbed_controller(controller):
    driver = driver_of(controller)
    driver.show(IMAGE)
    controller.corrupt()
    assert controller.lit() == bytes(20)
    driver.show(IMAGE)
    assert controller.lit()[:16] == IMAGE[:16]


def test_LC_6_a_controller_that_is_away_changes_nothing(controller):
    driver = driver_of(controller)
    controller.silent = True
    assert driver.show(IMAGE) is True  # it has no way to answer
    controller.silent = False
    driver.show(IMAGE)
    assert controller.lit()[:16] == IMAGE[:16]


def test_the_frames_on_the_wires():
    """Set-up in one command frame of 3 + 8 x 9 bits, then one write frame from address 0, D0 (common 0) first."""
    frames = []
    wires = {"cs": 1, "wr": 1, "data": 1}

    def cs(level):
        if level == 0:
            frames.append("")
        wires["cs"] = level

    def wr(level):
        if level and not wires["wr"] and not wires["cs"]:
            frames[-1] += str(wires["data"])
        wires["wr"] = level

    def data(level):
        assert wires["wr"] == 0 or wires["cs"], "DATA changes only while WR is low"
        wires["data"] = level

    Ht1621(cs, wr, data).show(IMAGE)
    commands, write = frames
    assert commands[:3] == "100"
    assert [int(commands[i : i + 8], 2) for i in range(3, len(commands), 9)] == [
        0x01,
        0x18,
        0x29,
        0x04,
        0x05,
        0x08,
        0x80,
        0x03,
    ]
    assert write[:9] == "101000000"
    assert write[9:13] == f"{IMAGE[0]:08b}"[:4]  # segment line 0, common 0 first
    assert len(write) == 9 + 32 * 4


class TestController:
    """The simulated controller's own facts, from the data sheet."""

    @staticmethod
    def send(controller, bits):
        controller.set_cs(0)
        for bit in bits:
            controller.set_wr(0)
            controller.set_data(int(bit))
            controller.set_wr(1)
        controller.set_cs(1)

    def test_the_address_steps_on_and_wraps(self, controller):
        self.send(controller, "101" + "011111" + "1000" + "0001")
        assert controller.ram[31] == 0b1000
        assert controller.ram[0] == 0b0001

    def test_an_unfinished_nibble_is_dropped(self, controller):
        self.send(controller, "101" + "000011" + "0000")
        self.send(controller, "101" + "000011" + "111")
        assert controller.ram[3] == 0

    def test_system_off_or_fewer_commons_leave_the_glass_dark(self, controller):
        driver_of(controller).show(bytearray(b"\xff" * 20))
        assert controller.lit()[:16] == b"\xff" * 16
        self.send(controller, "100" + "000000100")  # LCD OFF
        assert controller.lit() == bytes(20)
        self.send(controller, "100" + "000000110")  # LCD ON
        assert controller.lit()[:16] == b"\xff" * 16
        self.send(controller, "100" + "001001010")  # 3 commons
        assert controller.lit() == bytes(20)
