"""./scripts/read says in one line what is wrong on the pair: silence, another unit, another setting, an echo (AM-7)."""

import contextlib
import errno
import os
import signal
import subprocess
import termios
import threading
import time

import pytest
import serial

from host.port.terminal import PseudoTerminal
from host.remote import bus, command, registers
from host.rigs import rtu
from host.sim.link import TOP

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
    assert (
        err.startswith("openkh: --port /dev/no-such-port: there is no such port; there are: ") and err.count("\n") == 1
    )


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (termios.error(22, "Invalid argument"), "does not take 9600 baud, parity odd: Invalid argument"),
        (serial.SerialException(errno.EAGAIN, "cannot lock"), "another program is connected to it"),
        (serial.SerialException("cannot configure"), "cannot be used: no serial port, or another program"),
    ],
)
def test_AM_7_why_a_port_cannot_be_opened_is_said(monkeypatch, capsys, error, said):
    def refused(*_, **__):
        raise error

    monkeypatch.setattr(serial, "serial_for_url", refused)
    with peer(lambda _request: b"") as port:
        assert command.main(["--port", port, "--baud", "9600", "--parity", "odd"]) == 2
        err = capsys.readouterr().err
        assert err.startswith(f"openkh: --port {port}: {said}") and err.count("\n") == 1


def test_AM_7_any_parity_may_be_asked_for_at_a_pseudo_terminal(capsys):
    """It has none, and its driver refuses one now and then."""
    with peer(lambda _request: METER) as port:
        for _ in range(3):
            for parity in bus.PARITIES:
                assert command.main(["--port", port, "--parity", parity]) == 0, capsys.readouterr().err
    capsys.readouterr()


def test_AM_7_a_port_that_has_gone_is_no_silence(monkeypatch, capsys):
    """Over and over, and what it comes to in the end."""
    monkeypatch.setattr(bus, "_LISTEN_S", 0.2)
    monkeypatch.setattr(command, "LEAST_EVERY_S", 0.01)
    terminal = PseudoTerminal()
    opened = bus.Bus.__init__

    def pulled(self, *arguments):
        opened(self, *arguments)
        terminal.close()

    monkeypatch.setattr(bus.Bus, "__init__", pulled)
    assert command.main(["--port", terminal.name, "--every", "0.01"]) == 1
    lines = capsys.readouterr().err.splitlines()
    said = f"openkh: {terminal.name}: the port is gone, or its connection broke: plug it in"
    assert lines == [f"{said}; trying again"] * 4 + [said]


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


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_AM_7_however_it_is_ended_the_virtual_meter_ends_with_it(tmp_path, number):
    environment = {**os.environ, "TMPDIR": str(tmp_path)}
    read = subprocess.Popen(
        [TOP / "scripts" / "read"], env=environment, stdout=-1, stderr=-1, text=True, start_new_session=True
    )
    try:
        until = time.monotonic() + 60
        while not list(tmp_path.glob("*/load.toml")) and time.monotonic() < until:
            time.sleep(0.05)
        time.sleep(0.5)
        read.send_signal(number)
        out, err = read.communicate(timeout=60)
        assert (read.returncode, out, err) == (130, "", "openkh: stopped\n")
        assert not list(tmp_path.iterdir())
        with pytest.raises(ProcessLookupError):
            os.killpg(read.pid, 0)
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(read.pid, signal.SIGKILL)
