"""The simulated flash against its data sheet (W25Q16JV): NOR semantics, times, half-done operations."""

import pytest

from boards.virtual.halt import PowerCut, Reset
from boards.virtual.rp2040.clock import Clock
from boards.virtual.rp2040.flash import BLOCK, ERASE_US, ERASE_WORST_US, PROGRAM_US, PROGRAM_WORST_US, Flash


def page(value):
    return bytes([value]) * 256


def content(chip, block, count=256, offset=0):
    buf = bytearray(count)
    chip.readblocks(block, buf, offset)
    return bytes(buf)


def test_ST_1_programming_only_clears_bits():
    chip = Flash(4)
    chip.writeblocks(1, page(0xF0), 256)
    chip.writeblocks(1, page(0x3F), 256)
    assert content(chip, 1, offset=256) == page(0x30)
    assert content(chip, 1) == page(0xFF)
    chip.ioctl(6, 1)
    assert content(chip, 1, BLOCK) == b"\xff" * BLOCK
    assert chip.erases == [0, 1, 0, 0]


def test_whole_blocks_are_erased_first():
    chip = Flash(4)
    chip.writeblocks(2, bytes(BLOCK))
    chip.writeblocks(2, b"\x55" * BLOCK)
    assert content(chip, 2, BLOCK) == b"\x55" * BLOCK
    assert (chip.ioctl(4, 0), chip.ioctl(5, 0)) == (4, BLOCK)


def test_only_whole_pages_within_the_chip():
    chip = Flash(4)
    with pytest.raises(ValueError, match="whole pages"):
        chip.writeblocks(0, bytes(100), 0)
    with pytest.raises(ValueError, match="whole pages"):
        chip.writeblocks(0, bytes(256), 100)
    with pytest.raises(OSError):
        chip.writeblocks(4, bytes(256), 0)
    with pytest.raises(OSError):
        chip.readblocks(4, bytearray(1))


@pytest.mark.parametrize(
    ("worst", "program", "erase"), [(0, PROGRAM_US, ERASE_US), (1, PROGRAM_WORST_US, ERASE_WORST_US)]
)
def test_operations_take_their_time(worst, program, erase):
    clock = Clock()
    chip = Flash(4, clock, worst=worst)
    chip.writeblocks(0, page(0), 0)
    assert clock.now_us == program
    chip.ioctl(6, 0)
    assert clock.now_us == program + erase


def cut_at(clock, chip, us):
    def cut():
        chip.power(False)
        raise PowerCut("test")

    clock.at(clock.now_us + us, cut)


@pytest.mark.parametrize("percent", [0, 1, 30, 50, 90, 99])
def test_ST_1_a_cut_program_leaves_some_bits_done_and_its_neighbours_alone(percent):
    clock = Clock()
    chip = Flash(4, clock, seed=percent)
    chip.writeblocks(0, page(0xFF)[:128] + page(0xA5)[:128], 0)
    cut_at(clock, chip, PROGRAM_US * percent // 100)
    with pytest.raises(PowerCut):
        chip.writeblocks(0, page(0)[:128] + page(0xFF)[:128], 0)
    chip.power(True)
    done = sum(8 - value.bit_count() for value in content(chip, 0, 128)) / 1024
    assert abs(done - percent / 100) < 0.15
    assert content(chip, 0, 128, 128) == page(0xA5)[:128]
    assert content(chip, 0, 256, 256) == page(0xFF)


@pytest.mark.parametrize("percent", [1, 20, 40, 70, 99])
def test_ST_1_a_cut_erase_leaves_garbage_that_may_read_differently(percent):
    clock = Clock()
    chip = Flash(4, clock, seed=percent)
    chip.writeblocks(1, b"\x5a" * BLOCK)
    cut_at(clock, chip, ERASE_US * percent // 100)
    with pytest.raises(PowerCut):
        chip.ioctl(6, 1)
    chip.power(True)
    reads = {content(chip, 1, BLOCK) for _ in range(5)}
    assert len(reads) > 1
    assert all(read not in (b"\x5a" * BLOCK, b"\xff" * BLOCK) for read in reads)
    chip.ioctl(6, 1)
    assert {content(chip, 1, BLOCK) for _ in range(5)} == {b"\xff" * BLOCK}


def test_a_reset_of_the_cpu_alone_does_not_stop_the_chip():
    clock = Clock()
    chip = Flash(4, clock)
    chip.writeblocks(1, bytes(BLOCK))

    def bite():
        raise Reset("watchdog")

    clock.at(clock.now_us + 100, bite)
    with pytest.raises(Reset):
        chip.ioctl(6, 1)
    assert content(chip, 1, BLOCK) == b"\xff" * BLOCK


def test_faults():
    chip = Flash(4)
    chip.writeblocks(0, page(0x5A), 0)
    chip.silent = True
    assert content(chip, 0) == page(0xFF)
    chip.silent = False
    chip.stuck = True
    chip.ioctl(6, 0)
    assert content(chip, 0) == page(0x5A)
    chip.stuck = False
    chip.bit_error_rate = 0.01
    assert len({content(chip, 0) for _ in range(10)}) > 1


@pytest.mark.parametrize("rate", [2e-4, 1e-3, 2e-3])
def test_so_many_bits_are_wrong(rate):
    chip = Flash(4)
    chip.bit_error_rate = rate
    wrong = sum(8 - byte.bit_count() for _ in range(60) for byte in content(chip, 0, BLOCK))
    assert wrong == pytest.approx(rate * 60 * 8 * BLOCK, rel=0.15)


def test_the_image_can_be_kept():
    chip = Flash(4)
    chip.writeblocks(3, page(1), 512)
    other = Flash(4)
    other.load(chip.image())
    assert content(other, 3, 256, 512) == page(1)
    with pytest.raises(ValueError, match="bytes"):
        other.load(b"")
