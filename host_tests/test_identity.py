"""Factory data: which dates and serial numbers can be (ID-5)."""

import pytest

from openkh import identity


@pytest.mark.parametrize("date", ["260101", "260131", "261231", "261130", "280229", "260228", "260430", "000229"])
def test_ID_5_a_date_of_the_calendar(date):
    identity.check_date(date)


@pytest.mark.parametrize(
    "date",
    ["260001", "261301", "260100", "260132", "261131", "260229", "280230", "260431", "260631", "260931", "26013", "x"],
)
def test_ID_5_a_date_that_is_in_no_calendar_is_refused(date):
    with pytest.raises(ValueError, match="allowed"):
        identity.check_date(date)


@pytest.mark.parametrize("serial", ["12345678901", "1234567890123", "12345678901x", 123456789012])
def test_ID_5_a_serial_number_has_12_digits(serial):
    identity.check("260131", "123456789012")
    with pytest.raises(ValueError, match="12 digits"):
        identity.check("260131", serial)


def test_ID_5_what_is_packed_is_what_is_read():
    data = identity.Identity("261231", "000000000042", "MDNCT-1SC", "60Hz", 7)
    found = identity.unpack(data.pack())
    assert (found.date, found.serial, found.code, found.service, found.count) == (
        "261231",
        "000000000042",
        "MDNCT-1SC",
        "60Hz",
        7,
    )
    assert identity.Identity("261231", "000000000042", "MDNCT-1SC", "60Hz").count == 1
