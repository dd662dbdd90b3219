"""./scripts/read says in one line what is wrong on the pair: silence, another unit, another setting, an echo (AM-7)."""

import contextlib
import threading
import time

import pytest

from host.port.terminal import PseudoTerminal
from host.remote import bus, command, registers
from host.rigs import rtu

OTHER_UNIT = rtu.frame(7, 3, 2, 0, 1)
NO_METER = rtu.frame(1, 3, 2 * registers.OWN_WORDS, *range(2 * registers.OWN_WORDS))
METER = rtu.frame(1, 3, 2 * registers.OWN_WORDS, 0, 1, 0, 1, *bytes(2 * registers.OWN_WORDS - 4))
WORDS = {
    "silence": (lambda _request: b"", "no answer (unit 1, 19200 baud, parity none): is the meter powered, are A and B"),
    "other unit": (
        lambda _request: OTHER_UNIT,
        "unit 7 answered instead of unit 1: two masters on the pair, or a late",
    ),
    "other baud rate": (
        lambda _request: b"\x9e\x00\xf8\x78",
        "something answers, but not in frames (unit 1, 19200 baud",
    ),
    "echo alone": (
        lambda request: request,
        "the adapter hears what it sends (unit 1, 19200 baud, parity none), and nobody",
    ),
    "echo": (lambda request: request + OTHER_UNIT, "and cannot be read that way: switch its echo off"),
    "late": (
        lambda request: b"" if len(request) == 8 and request[5] > 1 else rtu.frame(1, 3, 2, 0),
        "unit 1 answers, but too late, or not to what it was asked (unit 1, 19200 baud",
    ),
    "exception": (lambda _request: rtu.frame(1, 0x83, 2), "unit 1 refuses registers 0 to 122 (exception 2): it is no"),
    "no OpenKh meter": (lambda _request: NO_METER, "unit 1 answers, but is no OpenKh meter: its map begins [1, 515,"),
}


@contextlib.contextmanager
def peer(answer):
    """A port at whose other end each request gets an answer; its name."""
    terminal = PseudoTerminal()
    over = threading.Event()

    def serve():
        while not over.is_set():
            request = terminal.read()
            if request:
                terminal.write(answer(request))
            time.sleep(0.002)

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield terminal.name
    finally:
        over.set()
        thread.join()
        terminal.close()


@pytest.mark.parametrize("case", WORDS)
def test_AM_7_what_is_wrong_on_the_pair_is_said_in_one_line(monkeypatch, capsys, case):
    monkeypatch.setattr(bus, "TIMEOUT_S", 0.6)  # also on a computer that is busy with other things
    monkeypatch.setattr(bus, "TRIES", 1)
    monkeypatch.setattr(bus, "_LISTEN_S", 0.2)
    answer, said = WORDS[case]
    with peer(answer) as port:
        assert command.main(["--port", port]) == 1
        out, err = capsys.readouterr()
        assert out == "" and err.count("\n") == 1
        assert err.startswith(f"openkh: {port}: ") and said in err


def test_AM_7_a_port_that_cannot_be_opened_is_refused(capsys):
    assert command.main(["--port", "/dev/no-such-port"]) == 2
    err = capsys.readouterr().err
    assert err.startswith("openkh: --port /dev/no-such-port: ") and err.count("\n") == 1


def test_AM_7_a_csv_is_replaced_by_the_first_reading_alone(monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(bus, "TIMEOUT_S", 0.1)
    monkeypatch.setattr(bus, "TRIES", 1)
    monkeypatch.setattr(bus, "_LISTEN_S", 0.1)
    day = tmp_path / "day.csv"
    day.write_text("yesterday\n")
    with peer(lambda _request: b"") as port:
        assert command.main(["--port", port, "--csv", str(day)]) == 1
    assert day.read_text() == "yesterday\n"
    assert command.main(["--port", "/dev/no-such-port", "--csv", str(day)]) == 2
    assert day.read_text() == "yesterday\n"
    monkeypatch.setattr(bus, "TIMEOUT_S", 2.0)
    with peer(lambda _request: METER) as port:
        assert command.main(["--port", port, "--csv", str(day), "--every", "1", "--count", "2"]) == 0
    head, *rows = day.read_text().splitlines()
    assert head.startswith("time_utc,map_version,elements,") and len(rows) == 2
    assert all(row.count(",") == head.count(",") for row in rows)
    capsys.readouterr()
