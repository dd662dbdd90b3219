"""The simulated FRAM against its data sheet (DS501-00017): protocol, power cut, faults, wear."""

import pytest

from boards.virtual.parts.fram import Fram


def put(chip, at, data):
    return chip.write(bytes((at >> 8, at & 255)) + bytes(data))


def get(chip, at, count):
    assert chip.write(bytes((at >> 8, at & 255))) == 2
    buf = bytearray(count)
    assert chip.read(buf)
    return bytes(buf)


def test_ST_1_bytes_are_kept_without_power():
    chip = Fram()
    assert put(chip, 0x1234, b"abc") == 5
    chip.power(False)
    assert chip.write(b"\0\0") == -1
    assert not chip.read(bytearray(1))
    chip.power(True)
    assert get(chip, 0x1234, 3) == b"abc"


def test_reads_go_on_where_the_last_ended():
    chip = Fram()
    put(chip, 0, b"abcdef")
    assert get(chip, 0, 2) == b"ab"
    buf = bytearray(3)
    assert chip.read(buf)
    assert buf == b"cde"


@pytest.mark.parametrize("size", [8192, 32768])
def test_addresses_and_transfers_wrap_at_the_end(size):
    chip = Fram(size)
    put(chip, size - 2, b"abcd")
    assert get(chip, 0, 2) == b"cd"
    assert get(chip, size - 1, 2) == b"bc"
    put(chip, size + 5 & 0xFFFF, b"x")
    assert get(chip, 5, 1) == b"x"


@pytest.mark.parametrize("point", range(9))
def test_ST_1_a_cut_at_any_byte_keeps_the_bytes_before_it(point):
    chip = Fram()
    put(chip, 100, b"old old")
    cuts = []
    chip.on_cut = lambda: cuts.append(point)
    chip.cut_in = point
    assert put(chip, 100, b"NEW NEW") == -1
    assert cuts == [point]
    chip.power(True)
    new = max(0, point - 2)
    assert get(chip, 100, 7) == b"NEW NEW"[:new] + b"old old"[new:]


def test_a_cut_counts_over_several_writes():
    chip = Fram()
    chip.on_cut = lambda: None
    chip.cut_in = 7
    assert put(chip, 0, b"abc") == 5
    assert put(chip, 8, b"abc") == -1
    chip.power(True)
    assert get(chip, 0, 3) == b"abc"
    assert get(chip, 8, 3) == bytes(3)


def test_faults():
    chip = Fram()
    put(chip, 0, b"abc")
    chip.silent = True
    assert chip.write(b"\0\0") == -1
    chip.silent = False
    chip.stuck = True
    assert put(chip, 0, b"xyz") == 5
    assert get(chip, 0, 3) == bytes(3)
    chip.stuck = False
    assert get(chip, 0, 3) == b"abc"
    chip.bit_error_rate = 0.05
    seen = {get(chip, 0, 3) for _ in range(200)}
    assert len(seen) > 20


def test_ST_3_reads_and_writes_wear_whole_rows():
    chip = Fram()
    put(chip, 6, b"abcd")
    get(chip, 8, 1)
    assert chip.accesses[:3] == [1, 2, 0]
    assert chip.worst_row() == 2
