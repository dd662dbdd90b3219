"""A load profile in each format that is read: the structure of the real one, made-up numbers, and the energy of it.

The energy is summed here from the numbers, and knows nothing of how a file is read.
"""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from host.stimulus.profiles.profile import Options

BEGIN = datetime(2025, 1, 1, tzinfo=UTC)
EPOCH = round(BEGIN.timestamp())
TENTHS = "<powerOfTenMultiplier>-1</powerOfTenMultiplier><uom>72</uom>"  # of a watt-hour


@dataclass
class Sample:
    """`text` of a file; `delivered_wh`, `received_wh`: what it says has flowed, net of both directions at each time."""

    text: str
    delivered_wh: float
    received_wh: float = 0.0
    options: Options = field(default_factory=Options)


def _wh(*parts: tuple[float, float]) -> float:
    """The energy of (watts, seconds), watt-hours."""
    return sum(watts * seconds for watts, seconds in parts) / 3600


def _iso(seconds: float) -> str:
    return (BEGIN + timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%S.000Z")


def tables() -> dict[str, Sample]:
    """Tables of any shape."""
    return {
        "seconds and watts": Sample(
            "time_s,watts\n0,1200\n10,2400\n20,-600\n30,0\n", _wh((1200, 10), (2400, 10)), _wh((600, 10))
        ),
        "power factor": Sample("time_s,watts,power_factor\n0,1200,0.5\n30,0,1\n", _wh((1200, 30))),
        "decimal comma": Sample("sep=;\nTime_S;Watts\n0;1200,5\n10;1.200,5\n20;0\n", _wh((1200.5, 20))),
        "kW, ISO with a zone": Sample(
            "# a comment\ntimestamp,Load (kW)\n"
            + "".join(f"2025-01-01T0{n // 60}:{n % 60:02d}:00+01:00,{1 + n % 3}\n" for n in range(120)),
            sum((1 + n % 3) * 1000 / 60 for n in range(120)),
        ),
        "kWh of each interval, date and time apart": Sample(
            "Account,123\nService,Electric\n\nDATE,START TIME,END TIME,IMPORT (kWh),EXPORT (kWh)\n"
            + "".join(
                f"1/{2 + n // 96}/2025,{n // 4 % 12 or 12}:{n % 4 * 15:02d} {'AP'[n // 48 % 2]}M,,"
                f"{0.25 + n % 7 / 100},{n % 5 / 10}\n"
                for n in range(192)
            ),
            sum(max(0.0, 250 + n % 7 * 10 - n % 5 * 100) for n in range(192)),
            sum(max(0.0, n % 5 * 100 - 250 - n % 7 * 10) for n in range(192)),
        ),
        "local time through the end of summer time": Sample(
            "Zeit\tVerbrauch (Wh)\n"
            + "".join(f"26.10.2025 {h:02d}:{m:02d}\t{100 + m}\n" for h in (0, 1, 2, 2, 3, 4) for m in (0, 30)),
            6 * (100 + 130),
            options=Options(zone=ZoneInfo("Europe/Berlin")),
        ),
        "a running total": Sample(
            "time,Meter reading kWh\n" + "".join(f"{_iso(900 * n)},{1000 + n * 0.25:.2f}\n" for n in range(20)),
            19 * 250.0,
        ),
        "amps of each line": Sample(
            "time,L1 current (A),L2 current (A)\n" + "".join(f"{_iso(60 * n)},10,{n % 3}\n" for n in range(60)),
            _wh(*((120 * (10 + n % 3), 60) for n in range(60))),
        ),
        "watts of each line": Sample(
            "time,l1_watts,l2_watts,temperature\n" + "".join(f"{_iso(60 * n)},{500 + n},-200,21\n" for n in range(60)),
            _wh(*((300 + n, 60) for n in range(60))),
        ),
        "the newest first": Sample(
            "time,power_w\n" + "".join(f"{_iso(60 * n)},{100 * n}\n" for n in range(9, -1, -1)), _wh((4500, 60))
        ),
    }


def _home_assistant() -> dict[str, Sample]:
    hours = [_iso(3600 * n) for n in range(24)]
    return {
        "Home Assistant history": Sample(
            f"entity_id,state,last_changed\nsensor.power,1200,{_iso(0)}\nsensor.power,unavailable,{_iso(10)}\n"
            f"sensor.power,1200,{_iso(20)}\n",
            _wh((1200, 20)),
        ),
        "Home Assistant history of energy": Sample(
            "entity_id,state,last_changed\nsensor.temperature,21,2025-01-01T00:00:00.000Z\n"
            + "".join(f"sensor.grid_energy,{100 + n * 0.01:.2f},{_iso(30 * n)}\n" for n in range(10)),
            90.0,
            options=Options("total_kWh=sensor.grid_energy"),
        ),
        "Home Assistant energy dashboard": Sample(
            "entity_id,type,unit,"
            + ",".join(hours)
            + "\n"
            + "sensor.in,grid_consumption,kWh,"
            + ",".join(f"{n / 10}" for n in range(24))
            + "\n"
            + "sensor.out,grid_return,kWh,"
            + ",".join("1.0" if n == 12 else "0" for n in range(24))
            + "\n"
            + "sensor.pv,solar_production,kWh,"
            + ",".join("3" for _ in range(24))
            + "\n",
            sum(100 * n for n in range(24)) - 1000,
        ),
    }


def exports() -> dict[str, Sample]:
    """What loggers and home automation export."""
    shelly = (
        "timestamp,a_total_act_energy,a_fund_act_energy,a_total_act_ret_energy,b_total_act_energy,b_fund_act_energy,"
    )
    shelly += "b_total_act_ret_energy,c_total_act_energy,c_fund_act_energy,c_total_act_ret_energy,n_max_current\n"
    return {
        **_home_assistant(),
        "emoncms": Sample(
            "".join(f"{EPOCH + 10 * n},{300.5 + n}\n" for n in range(30)), _wh(*((300.5 + n, 10) for n in range(30)))
        ),
        "IoTaWatt": Sample(
            "Time,Mains.Watts,Solar.Watts\n"
            + "".join(f"2025-01-01 00:{n:02d}:00,{800 - 40 * n},0\n" for n in range(30)),
            _wh(*((800 - 40 * n, 60) for n in range(20))),
            _wh(*((40 * n - 800, 60) for n in range(20, 30))),
        ),
        "Shelly, three phases": Sample(
            shelly + "".join(f"{EPOCH + 60 * n},20.5,20,0,{n},{n},0.25,0,0,0,1\n" for n in range(30)),
            sum(20.5 + n - 0.25 for n in range(30)),
        ),
        "Shelly, one phase": Sample(
            "timestamp,total_act_energy,fund_act_energy,total_act_ret_energy\n"
            + "".join(f"{EPOCH + 60 * n},{n},{n},{10}\n" for n in range(30)),
            sum(max(0.0, n - 10) for n in range(30)),
            sum(max(0.0, 10 - n) for n in range(30)),
        ),
        "Shelly EM": Sample(
            "Date/time UTC,Active energy Wh,Returned energy Wh,Min V,Max V\n"
            + "".join(f"2025-01-01 00:{n:02d},{12.5 + n},{0},229.1,231.9\n" for n in range(30)),
            sum(12.5 + n for n in range(30)),
        ),
        "channel of UK-DALE": Sample(
            "".join(f"{EPOCH + 6 * n} {1200 + n}\n" for n in range(30)) + f"{EPOCH + 6 * 30 + 3600} 60\n",
            _wh(*((1200 + n, 6) for n in range(29)), (1229, 120), (60, 6)),
        ),
    }


def green_button() -> Sample:
    """Two directions in blocks of a day, one of them twice, tenths of a watt-hour."""
    quarters = 96

    def reading(n: int, value: int) -> str:
        quality = "<ReadingQuality><quality>8</quality></ReadingQuality>" if n == 5 else ""
        period = f"<timePeriod><duration>900</duration><start>{EPOCH + 900 * n}</start></timePeriod>"
        return f"<IntervalReading>{quality}{period}<value>{value}</value></IntervalReading>"

    def block(first: int, values: list[int]) -> str:
        rows = "".join(reading(first + n, value) for n, value in enumerate(values))
        span = f"<interval><duration>{900 * len(values)}</duration><start>{EPOCH + 900 * first}</start></interval>"
        return f"<IntervalBlock>{span}{rows}</IntervalBlock>"

    def entry(own: str, links: list[str], content: str) -> str:
        related = "".join(f'<link rel="related" href="{href}"/>' for href in links)
        return f'<entry><link rel="self" href="{own}"/>{related}<content>{content}</content></entry>'

    bought = [2500 + n % 10 for n in range(quarters)]
    sold = [4000 if 40 <= n < 60 else 0 for n in range(quarters)]
    parts = [entry("/UsagePoint/1", [], "<UsagePoint><ServiceCategory><kind>0</kind></ServiceCategory></UsagePoint>")]
    for number, (direction, values) in enumerate(((1, bought), (19, sold)), 1):
        own = f"/UsagePoint/1/MeterReading/{number}"
        kind = f"/ReadingType/{number}"
        parts.append(entry(own, [kind, own + "/IntervalBlock"], "<MeterReading/>"))
        fields = f"<flowDirection>{direction}</flowDirection><intervalLength>900</intervalLength>"
        parts.append(
            entry(
                kind,
                [],
                f"<ReadingType>{fields}{TENTHS}</ReadingType>",
            )
        )
        halves = block(0, values[:48]) + block(48, values[48:])
        parts.append(entry(own + "/IntervalBlock/1", [], halves))
        parts.append(entry(own + "/IntervalBlock/2", [], block(48, values[48:])))
    feed = '<feed xmlns="http://www.w3.org/2005/Atom" xmlns:espi="http://naesb.org/espi">' + "".join(parts) + "</feed>"
    net = [(b - s) / 10 for b, s in zip(bought, sold)]
    text = '<?xml version="1.0" encoding="UTF-8"?>\n' + feed
    return Sample(text, sum(n for n in net if n > 0), -sum(n for n in net if n < 0))


def nem12() -> Sample:
    """Two days of half hours: both directions, reactive energy beside them, a day of mixed quality, one revised."""
    first = [0.5 + n % 4 / 10 for n in range(48)]
    back = [0.9 if 20 <= n < 30 else 0.0 for n in range(48)]

    def day(date: str, values: list[float | None], quality: str, updated: str) -> str:
        cells = ["" if value is None else f"{value:.3f}" for value in values]
        return f"300,{date},{','.join(cells)},{quality},,,{updated},\n"

    gap: list[float | None] = [None if n == 7 else 0.25 for n in range(48)]
    text = "100,NEM12,202501031200,MDP,RETAILER\n"
    text += "200,NMI0000001,B1E1Q1,,E1,N1,METER1,kWh,30,\n"
    text += day("20250101", [9.0] * 48, "A", "20250102000000")
    text += day("20250101", list(first), "A", "20250103000000")
    text += day("20250102", gap, "V", "20250103000000")
    text += "400,1,10,A,,\n400,11,20,E52,,\n400,21,48,A,,\n"
    text += "200,NMI0000001,B1E1Q1,,B1,N1,METER1,Wh,30,\n"
    text += day("20250101", [b * 1000 for b in back], "A", "20250103000000")
    text += "200,NMI0000001,B1E1Q1,,Q1,N1,METER1,kVArh,30,\n"
    text += day("20250101", [0.1] * 48, "A", "20250103000000")
    text += "500,O,S01009,20250103,\n900\n"
    net = [(f - b) * 1000 for f, b in zip(first, back)]
    return Sample(text, sum(n for n in net if n > 0) + 47 * 250, -sum(n for n in net if n < 0))


def samples() -> dict[str, Sample]:
    """All of them, by the name of the format."""
    return {**tables(), **exports(), "Green Button": green_button(), "NEM12": nem12()}
