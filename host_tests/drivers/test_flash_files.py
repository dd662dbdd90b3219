"""Raw blocks within files of a real littlefs (DR-12, DR-13), on the simulated flash."""

import pytest

from boards.virtual.rp2040.flash import BLOCK, Flash
from host.rigs.littlefs_on_chip import Files
from openkh.drivers import flash as driver
from openkh.storage import layout


class Recorder(Flash):
    """The chip, and every operation on it: littlefs is C and no exception may pass through it, so a cut is made by
    replaying what was done up to it on another chip."""

    def __init__(self, blocks):
        super().__init__(blocks)
        self.operations = []

    def _run(self, us, at, data):
        self.operations.append((us, at, data))
        super()._run(us, at, data)

    def replayed(self, count, fraction, seed):
        """A chip after `count` operations and a part of the next."""
        chip = Flash(self.blocks, seed=seed)
        for operation in self.operations[:count]:
            chip._run(*operation)
        chip.on_cut = lambda: None
        chip.cut_in = 0
        chip.cut_fraction = fraction
        chip._run(*self.operations[count])
        return chip


@pytest.fixture
def chip():
    return Flash(352)


def fill(chip, blocks):
    for n, block in enumerate(blocks):
        chip.writeblocks(block, bytes([n]) * BLOCK)


def whole(chip, block):
    buf = bytearray(BLOCK)
    chip.readblocks(block, buf)
    return bytes(buf)


def test_ST_1_raw_blocks_and_files_leave_each_other_alone(chip):
    files = Files(chip, fresh=True)
    for n in range(30):
        with files.open("/program%d" % n, "wb") as file:
            file.write(bytes([n]) * 5000)
    blocks = files.create(chip, layout.FLASH_BLOCKS)
    assert len(set(blocks)) == layout.FLASH_BLOCKS
    assert all(whole(chip, block) == b"\xff" * BLOCK for block in blocks)
    fill(chip, blocks)
    for n in range(60):
        with files.open("/program%d" % (n % 40), "wb") as file:
            file.write(bytes([n]) * 9000)
    assert [whole(chip, block) for block in blocks] == [bytes([n]) * BLOCK for n in range(len(blocks))]
    again = Files(chip)
    assert driver.find(chip) == blocks
    assert again.create(chip, layout.FLASH_BLOCKS) == blocks
    for n in range(60 - 40, 60):
        with again.open("/program%d" % (n % 40), "rb") as file:
            assert file.read() == bytes([n]) * 9000


def test_an_interrupted_creation_is_done_anew():
    chip = Recorder(100)
    Files(chip, fresh=True).create(chip, 12)
    for point in range(5, len(chip.operations), 17):
        other = chip.replayed(point, 0.5, point)
        blocks = Files(other).create(other, 12, seed=2)
        assert len(set(blocks)) == 12
        assert driver.find(other) == blocks


def test_blocks_of_a_filesystem_made_anew_are_not_used(chip):
    old = Files(chip, fresh=True).create(chip, 20)
    files = Files(chip, fresh=True)
    with files.open("/first", "wb") as file:
        file.write(bytes(30_000))
    new = files.create(chip, 20, seed=2)
    assert driver.find(chip) == new
    assert new != old
    fill(chip, new)
    again = Files(chip)
    with again.open("/first", "rb") as file:
        assert file.read() == bytes(30_000)


def test_field_bug_27_the_firmware_neither_removes_nor_renames_what_must_last():
    """Field bug 27: remove-then-rename lost the file. The register is in raw records; nothing is replaced at all."""
    from pathlib import Path

    firmware = Path(driver.__file__).parents[1]
    for path in [*firmware.glob("storage/*.py"), *firmware.glob("drivers/f*.py")]:
        text = path.read_text()
        assert "rename(" not in text
        assert "remove(" not in text
        assert "unlink(" not in text


def test_field_bug_27_files_and_records_survive_a_cut_at_any_operation():
    """A cut while the filesystem writes beside the records: both are whole afterwards."""
    chip = Recorder(100)
    files = Files(chip, fresh=True)
    blocks = files.create(chip, 12)
    with files.open("/keep", "wb") as file:
        file.write(b"kept" * 1000)
    fill(chip, blocks)
    first = len(chip.operations)
    for n in range(4):
        with files.open("/other", "wb") as file:
            file.write(bytes([n]) * 6000)
        chip.ioctl(6, blocks[3])
        fill(chip, blocks[:4])
    for point in range(first, len(chip.operations), 3):
        other = chip.replayed(point, point % 7 / 7, point)
        files = Files(other)
        assert driver.find(other) == blocks
        assert [whole(other, block) for block in blocks[4:]] == [bytes([n]) * BLOCK for n in range(4, 12)]
        with files.open("/keep", "rb") as file:
            assert file.read() == b"kept" * 1000


def test_a_damaged_map_is_no_map(chip):
    chip.prepare(20)
    blocks = driver.find(chip)
    assert len(blocks) == 20
    chip.memory[40 * BLOCK + 20] ^= 1
    assert driver.find(chip) == ()


@pytest.mark.parametrize(("highest", "good"), [(351, True), (352, False), (60_000, False)])
def test_ST_1_a_map_that_names_a_block_beyond_the_device_is_not_believed(highest, good):
    head = driver._MAGIC + b"".join(block.to_bytes(2, "little") for block in (7, highest))
    whole = bytearray(head + b"\xff\xff" + (sum(head) & 0xFFFF).to_bytes(2, "little") + bytes(600))
    assert driver._parse(whole, 352) == ((7, highest) if good else ())
