"""What the driver writes to an ADE7953 that runs: proof of the bus before it, and of the register after it."""

import pytest

from host_tests.mp.front_end import ade7953_config
from openkh.drivers import ade7953_registers as reg

PROOFS = ade7953_config.PROOFS


def test_a_note_may_be_zero_and_be_written_over(rig):
    rig.driver.bring_up()
    for first, second in ((0x1234, 0), (0, 0x5678), (0, 0), (1, 1)):
        assert rig.driver.note(reg.LINECYC, first, reg.ZXTOUT, second)
        assert (rig.chip.regs[reg.LINECYC], rig.chip.regs[reg.ZXTOUT]) == (first, second)


def test_EN_2_a_write_of_zero_is_not_proven_by_frames_that_go_astray(rig):
    """They read zeros. Believed of LCYCMODE, each reading of energy zeroed its register from then on."""
    rig.driver.bring_up()
    assert rig.driver.open() and rig.driver.put(reg.LCYCMODE, reg.RSTREAD)
    rig.driver.read_energy()
    transfer, astray = rig.driver._transfer, ["the write", "the reading back"]

    def wires(tx, rx):
        if not astray:
            return transfer(tx, rx)
        rx[:] = bytes(len(rx))
        return astray.pop()

    rig.driver._transfer = wires
    assert rig.driver.put(reg.LCYCMODE, 0)
    assert rig.chip.regs[reg.LCYCMODE] == 0


@pytest.mark.parametrize("spoilt", range(PROOFS + 1))
def test_ST_1a_a_note_is_written_only_where_as_many_checksums_as_are_asked_for_come_through(rig, spoilt):
    """On a bus that spoils frames the write might go to another register."""
    rig.driver.bring_up()
    before = dict(rig.chip.regs)
    checksums, writes = [], []

    def meddle(tx, rx):
        if not tx[2] & 0x80:
            writes.append(bytes(tx))
        if tx[0] << 8 | tx[1] == reg.CRC and not writes:
            checksums.append(rx[6])
            if len(checksums) == spoilt + 1:
                rx[6] ^= 1

    rig.spi.meddle = meddle
    done = rig.driver.note(reg.LINECYC, 0x1234, reg.ZXTOUT, 0x5678)
    if spoilt < PROOFS:
        assert not done and not writes and rig.chip.regs == before
    else:
        assert done and len(checksums) == PROOFS and rig.chip.regs[reg.ZXTOUT] == 0x5678


def test_a_register_that_is_none_of_the_configuration_is_refused(rig):
    with pytest.raises(ValueError):
        rig.driver.want(reg.VRMS, 1)
