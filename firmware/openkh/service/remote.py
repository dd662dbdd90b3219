"""The prompt's commands about reading from afar: the port's values, interval data, settings of the RS-485 port (AM)."""

from openkh import event_codes
from openkh.remote.layout import LINE_SOURCES, SOURCES
from openkh.remote.reading import NO_I16, NO_I32, NO_U16, NO_U32, Reading
from openkh.remote.settings import PARITIES, Settings
from openkh.service.refused import RefusedError
from openkh.service.requests import Request, Store, post

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from openkh.meter import Meter
    from openkh.storage.vault import Vault

    Answer = dict[str, Any]

_SLOTS_A_CYCLE = 8  # slots of interval data that are read in one cycle
_MOST_SLOTS = 400  # and at one call
_STORE_MS = 30_000  # how long storing may take
_NONE = 0x8000
_MISSING = (NO_U32, NO_I32, NO_I16, NO_U16)


def readings(meter: "Meter") -> "Answer":
    """See help(). The values of the port's own registers, by their names there (docs/modbus.md); None: not known."""
    reading = Reading(meter)
    while True:
        cycles = meter.cycle.cycles
        reading.take()
        if meter.cycle.cycles == cycles:
            break
        reading = Reading(meter)  # a cycle came in between: take all anew, so that the values are of one state
    if meter.port is not None:
        reading.image = meter.port.reading.image
    found: Answer = {}
    for name in SOURCES:
        if name[:4] != "sun_" and name[-4:] != "_sf":
            found[name] = _plain(name, getattr(reading, name))
    for n, line in ((1, reading.line_1), (2, reading.line_2)):
        for name in LINE_SOURCES:
            if name[:4] != "sun_":
                value = getattr(line, name)
                found["l%d_%s" % (n, name)] = None if value in _MISSING else value
    for name in ("delivered_mwh", "received_mwh"):
        low = (found.pop(name + "_16") & 0xFFFF) << 16 | found.pop(name + "_0") & 0xFFFF
        found[name] = found.pop(name + "_32") << 32 | low
    del found["maker"], found["unit"]
    return found


def _plain(name: str, value: "Any") -> "Any":
    """A value as the prompt gives it: text for bytes, None for what is not known."""
    if isinstance(value, bytes):
        if name == "image":
            from binascii import hexlify

            return hexlify(value).decode() or None
        return value.decode()
    if name == "power_mw" and value == NO_I32 or name[-6:] == "_count" and value == NO_U16:
        return None
    return value


def readings_text(found: "Answer") -> str:
    return "OK " + ", ".join(["%s %s" % (name, found[name]) for name in sorted(found)])


class _Look(Request):
    """Reads slots of the interval data, some in each cycle, because only the cycle may touch the memory (DR-10)."""

    def __init__(self, meter: "Meter", first: int, end: int) -> None:
        super().__init__(meter)
        self.sealed = True
        self._number = first
        self._end = end
        self._buf = bytearray(18)
        self.found: list[list[int]] = []

    def step(self) -> bool:
        intervals = self.meter.intervals
        last = min(self._end, self._number + _SLOTS_A_CYCLE)
        while intervals is not None and self._number < last:
            intervals.encode(self._number % intervals.slots, self._buf, 0)
            word = [self._buf[i] << 8 | self._buf[i + 1] for i in range(0, 18, 2)]
            if word[0] == self._number & 0xFFFF and not word[2] & _NONE:
                energies = [word[i] << 16 | word[i + 1] for i in (3, 5, 7)]
                self.found.append([self._number, word[1], word[2]] + energies)
            self._number += 1
        return self._number < self._end


def intervals(meter: "Meter", n: int, before: "int | None") -> "Answer":
    """See help(). Of `n` slots before number `before` (None: the newest ones) those that hold intervals."""
    recorder = meter.intervals
    if recorder is None:
        raise RefusedError("this meter has no memory for interval data")
    if not isinstance(n, int) or not 1 <= n <= _MOST_SLOTS:
        raise RefusedError("%r slots: allowed 1 to %d" % (n, _MOST_SLOTS))
    ring = recorder.ring
    end = ring.number if before is None else before
    if not isinstance(end, int) or not ring.oldest <= end <= ring.number:
        raise RefusedError("before %r: allowed %d to %d" % (before, ring.oldest, ring.number))
    look = _Look(meter, max(ring.oldest, end - n), end)
    post(look)
    state = meter.state
    return {
        "first": max(ring.oldest, end - n),
        "before": end,
        "oldest": ring.oldest,
        "run_s": state.run_s,
        "power_up": ring.power_up,
        "intervals": look.found,
    }


def intervals_text(found: "Answer") -> str:
    rows = ["OK slots %d to %d; number, power-up, flags, end in s of run time, delivered and received in Wh"]
    rows[0] = rows[0] % (found["first"], found["before"] - 1)
    for number, power_up, flags, end_s, delivered, received in found["intervals"]:
        rows.append(
            "%8d %5d 0x%04x %9d %8d.%d %8d.%d"
            % (number, power_up, flags, end_s, delivered // 10, delivered % 10, received // 10, received % 10)
        )
    return "\n".join(rows)


class _Change(Store):
    """Store new settings of the port, log old and new, and put them into force."""

    def __init__(self, meter: "Meter", vault: "Vault", old: Settings, new: Settings) -> None:
        super().__init__(meter, vault, new.pack(), event_codes.PORT, new.baud, _coded(new))
        self._old = old
        self._new = new

    def step(self) -> bool:
        if not self._begun:
            self.meter.log.add(event_codes.PORT_OLD, self._old.baud, _coded(self._old))
        return super().step()

    def stored(self) -> None:
        port = self.meter.port
        if port is not None:
            port.settings = self._new
            port.open()


def _coded(settings: Settings) -> int:
    """Unit and parity as one number: unit * 10, plus 0 none, 1 even, 2 odd."""
    parity = PARITIES[settings.parity]
    return 10 * settings.unit + (0 if parity is None else 1 + parity)


def rs485(meter: "Meter", baud: "int | None", parity: "str | None", unit: "int | None") -> "Answer":
    """See help(). Without arguments: the settings in force. With some: stored, logged, in force at once (AM-1)."""
    running = meter.port
    if running is None:
        raise RefusedError("this board has no RS-485 port")
    old = running.settings
    if (baud, parity, unit) == (None, None, None):
        return _settings(meter, "")
    new = Settings(
        old.baud if baud is None else baud,
        old.parity if parity is None else parity,
        old.unit if unit is None else unit,
        old.count + 1,
    )
    new.check()
    if running.vault is None:
        raise RefusedError("the memory has no room for settings: allowed with a FRAM of 32 KiB, or flash laid out anew")
    post(_Change(meter, running.vault, old, new), _STORE_MS)
    return _settings(meter, "; in force now")


def _settings(meter: "Meter", more: str) -> "Answer":
    port = meter.port
    assert port is not None
    now = port.settings
    slave = port.slave
    return {
        "baud": now.baud,
        "parity": now.parity,
        "unit": now.unit,
        "changes": now.count,
        "served": port.served,
        "answered": slave.answered,
        "refused": slave.refused,
        "spoilt": slave.spoilt,
        "floods": port.link.floods,
        "text": "RS-485 port: %d baud, parity %s, unit %d%s; %d requests answered, %d refused, %d frames spoilt"
        % (now.baud, now.parity, now.unit, more, slave.answered, slave.refused, slave.spoilt),
    }
