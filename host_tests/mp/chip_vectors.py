"""Everything measurable of a simulated chip and of the mains in front of it, as integers: equal on every engine."""

from boards.virtual.parts.mains import Ct, Mains
from host_tests.mp.chip_rig import AENERGY, ANGLE, APENERGY, AVA, AVAR, AWATT, IRMS, PERIOD, PF, RENERGY, VRMS, Rig

KEPT = []  # what must outlive a garbage collection in the 32-bit build, which does not see the locals of its callers


def golden():
    """The reference sheet's golden vectors, section 14: {name: value}."""
    rig = Rig()
    rig.chip.drive(1.0, 1.0, 1.0, 0.0, 50.0)
    rig.sleep(1)
    result = {"rate": rig.counts_in(1)}
    for name, address in (("vrms", VRMS), ("irms", IRMS), ("watt", AWATT), ("var", AVAR), ("va", AVA), ("pf", PF)):
        result[name] = rig.read(address) & 0xFFFFFF  # the top byte is a sign that rms values do not have
    result["period_50"] = rig.read(PERIOD)
    v, i = 0.6229, 0.1584
    rig.chip.drive(v, i, v * i, 0.0, 60.0)
    rig.sleep(1)
    result.update({"low_rate": rig.counts_in(1), "low_vrms": rig.read(VRMS), "low_irms": rig.read(IRMS)})
    result.update({"low_watt": rig.read(AWATT), "period_60": rig.read(PERIOD)})
    rig.chip.drive(v, i, v * i * 0.5, v * i * 0.8660254037844386, 60.0)
    result.update({"half_watt": rig.read(AWATT), "half_var": rig.read(AVAR), "half_pf": rig.read(PF)})
    result["half_angle"] = rig.read(ANGLE)
    return result


def imperfect(rest=None):
    """A noisy, badly aligned chip behind a transformer, through ramps, a table and faults. `rest()` is called between
    looks."""
    rig = Rig(v_gain_percent=1.37, i_gain_percent=-0.81, phase_minutes=2.3, noise=True, clkin_ppm=37, tempco_ppm=12.0)
    mains = Mains(rig.clock, [rig.chip], 200.0, 117.85, [Ct(100, 0.31, 19.7, "split")])
    for address, value in ((0x281, 0x3F1234), (0x280, 0x412345), (0x382, 4234704), (0x108, 0x017), (0x289, 0xFFFE07)):
        rig.write(address, value)
    now = rig.clock.now_us
    mains.add(["mains", now, 0, [119.97, 0.0537, 31.3, 0.0], None, 59.93])
    mains.add(["mains", now + 3000000, 1, [126.1, 87.3, -29.9, 0.0], None, 60.07])
    mains.add(["power", now + 4000000, 0])
    mains.add(["power", now + 4200000, 1])
    rows = []
    for k in range(17):
        rows.append([120.0 + k / 7, 3.0 + k / 9, 300.0 + k * 11.1, 40.0 - k * 3.3])
    mains.add(["wave", now + 5000000, 997, rows, None, 60.0])
    values = []
    KEPT.extend([rig, mains, values])
    for k in range(70):
        rig.clock.sleep(100001)
        if rest is not None:
            rest()
        if k == 30:
            rig.chip.temperature(51.5)
        if k == 60:
            rig.chip.fault("bit_error", {"rate": 0.003})
        for address in (
            AENERGY,
            RENERGY,
            APENERGY,
            VRMS,
            IRMS,
            AWATT,
            AVAR,
            AVA,
            PF,
            ANGLE,
            PERIOD,
            0x301,
            0x32D,
            0x3FF,
        ):
            values.append(rig.read(address))
    values.append(rig.chip.counted_total())
    values.append(rig.read(0x37F))
    return values


def main(rest=None):
    """Print all of it, one value a line."""
    vectors = golden()
    for name in sorted(vectors):
        print(name, vectors[name])
    for value in imperfect(rest):
        print(value)
