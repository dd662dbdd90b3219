"""PCF85176 driver against the simulated controller (LC-6, field bug 34)."""

import pytest

from boards.virtual.parts.pcf85176 import Pcf85176 as Controller
from host_tests.display.glass_rig import I2c
from openkh.drivers.pcf85176 import Pcf85176

IMAGE = bytearray((i * 37 + 11) & 0xFF for i in range(20))


@pytest.fixture
def controller():
    controller = Controller(seed=7)
    controller.power(True)
    return controller


def test_one_refresh_brings_up_a_controller_fresh_from_reset(controller):
    assert controller.lit() == bytes(20)  # disabled after power-on
    assert Pcf85176(I2c(controller)).show(IMAGE) is True
    assert controller.lit() == bytes(IMAGE)


def test_each_refresh_mends_a_disturbed_controller(controller):
    driver = Pcf85176(I2c(controller))
    driver.show(IMAGE)
    controller.corrupt()
    controller.blink = 2
    controller.subaddress = 5
    controller.pointer = 33
    assert controller.lit() != bytes(IMAGE)
    driver.show(IMAGE)
    assert controller.lit() == bytes(IMAGE)
    assert controller.blink == 0


def test_LC_6_a_controller_that_does_not_answer_is_told_and_raises_nothing(controller):
    driver = Pcf85176(I2c(controller))
    controller.silent = True
    assert driver.show(IMAGE) is False
    controller.silent = False
    assert driver.show(IMAGE) is True
    assert controller.lit() == bytes(IMAGE)


def test_a_controller_that_lost_its_supply_comes_back(controller):
    driver = Pcf85176(I2c(controller))
    driver.show(IMAGE)
    controller.power(False)
    assert driver.show(IMAGE) is False
    controller.power(True)
    assert controller.lit() == bytes(20)
    assert driver.show(IMAGE) is True
    assert controller.lit() == bytes(IMAGE)


class TestController:
    """The simulated controller's own facts, from the data sheet."""

    def test_commands_end_with_a_clear_bit_7_and_data_follow(self, controller):
        assert controller.write(bytes((0xC8, 0x80 | 38, 0x60, 0x12))) == 4
        controller.write(bytes((0x00,)))
        assert controller.enabled
        assert controller.ram[19] == 0x12
        assert controller.pointer == 0

    def test_an_odd_pointer_fills_across_bytes(self, controller):
        controller.write(bytes((0xC8, 0x80, 0x60)) + bytes(20))
        controller.write(bytes((0x80 | 1, 0x60, 0xAB)))
        assert controller.ram[0] == 0x0A
        assert controller.ram[1] == 0xB0

    def test_data_beyond_the_last_column_are_the_next_devices(self, controller):
        controller.write(bytes((0xC8, 0x80, 0x60)) + bytes(20) + b"\xff")
        assert controller.lit() == bytes(20)
        assert controller.subaddress == 1
        controller.write(bytes((0x80, 0x61, 0xFF)))
        assert controller.lit() == bytes(20)

    def test_it_shows_only_what_is_multiplexed_1_to_4_at_one_third_bias(self, controller):
        for mode in (0x40, 0x49, 0x4A, 0x4B, 0x4C):
            controller.write(bytes((0x80 | mode, 0x80, 0x60)) + b"\xff" * 20)
            assert controller.lit() == bytes(20), hex(mode)
        controller.write(bytes((0x48,)))
        assert controller.lit() == b"\xff" * 20

    def test_it_cannot_be_read(self, controller):
        assert controller.read(bytearray(4)) is False
