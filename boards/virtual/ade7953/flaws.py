"""What one simulated ADE7953 is like: its parts' tolerances, and which way each open question of the data sheet is.

Where the data sheet is silent or contradicts itself, the chip has a setting. Its default is what is most likely;
docs/chips.md has the evidence and the sources. By default noise, ripple and all errors are off: an ideal chip, once it
is set up.
"""

SILENT_MS = 40  # a chip does not answer for so long after any reset; DS p.18, AN-639 p.12


class Imperfections:
    """How one chip, with its dividers and its burden, differs from the nominal one."""

    def __init__(
        self,
        v_gain_percent=0.0,
        i_gain_percent=0.0,
        phase_minutes=0.0,
        noise=False,
        clkin_ppm=0,
        tempco_ppm=0.0,
        tempco_curve_ppb=0.0,
        divider_tempco_ppm=0.0,
        burden_tempco_ppm=0.0,
        clkin_curve_ppb=0.0,
        temperature_c=25.0,
        untuned_ppm=-2000,
        rms_tau_us=40000,
        dc_v=0.01,
        dc_i=-0.024,
        checksum_live_bits=False,
        counter_end="wrap",
        phcal_sign=1,
        version=3,
        checksum_seed=0,
        last_changes=False,
        var_sign=1,
        silent_ms=SILENT_MS,
        checksum_delay_ms=0,
        flags_return=False,
        key_strict=True,
        ripple=False,
        period_settle_ms=40,
    ):
        """Tolerances:

        - v_gain_percent, i_gain_percent: gain errors of the two channels.
        - phase_minutes: by so much the current channel leads the voltage channel.
        - noise: whether there are a noise floor and noise, as logs of real chips show them.
        - clkin_ppm: error of the crystal of 3.58 MHz; clkin_curve_ppb: its drift per square degree from 25 C.
        - tempco_ppm, tempco_curve_ppb: drift of the reference per degree and per square degree from 25 C (power drifts
          twice as much; DS p.22); divider_tempco_ppm, burden_tempco_ppm: of the resistors before the channels.
        - untuned_ppm: error of power as long as register 0x120 is not set.
        - dc_v, dc_i: offsets of the converters as parts of full scale, which the high pass takes away (DS p.4).

        Open questions:

        - checksum_live_bits: whether the checksum covers the read-only half of ACCMODE, too (p.59 lists the register
          without exception, but it would then change at every turn of a load).
        - counter_end: what the energy register does at its end, "wrap" (p.25) or "stop".
        - phcal_sign: 1 where a larger PHCAL delays the current (p.34), else -1.
        - version: of the silicon, 1 .. 254.
        - checksum_seed: not 0 for hidden bytes in the checksum other than those that give the documented value.
        - last_changes: whether reading LAST_ADD, LAST_OP, LAST_RWDATA changes them (Table 17 says "all registers";
          meters in use rely on the contrary).
        - var_sign: 1 where reactive power is positive when the current lags (p.38), else -1.
        - silent_ms: for so long the chip does not answer after a reset (p.18).
        - checksum_delay_ms: after so long checksum and interrupt follow a change; 0 is one sample (p.58).
        - flags_return: whether a flag whose cause lasts is raised again when it is cleared.
        - key_strict: whether the write to 0x120 has to be the very next frame after its key (p.18).
        - ripple: whether power, energy and rms have one at twice the line frequency (p.23, 24).
        - period_settle_ms: so long the period register takes to follow (p.36).

        Long because each tolerance and each open question is an argument here."""
        self.v_gain = 1.0 + v_gain_percent / 100.0
        self.i_gain = 1.0 + i_gain_percent / 100.0
        self.lead_degrees = phase_minutes / 60.0
        self.noise = bool(noise)
        self.clkin_ppm = int(clkin_ppm)
        self._tempcos = (tempco_ppm, tempco_curve_ppb, divider_tempco_ppm, burden_tempco_ppm, clkin_curve_ppb)
        self._clkin_25_ppm = self.clkin_ppm
        self.at(temperature_c)
        self.untuned = 1.0 + untuned_ppm * 1e-6
        self.rms_tau_us = rms_tau_us
        self.dc_v = dc_v
        self.dc_i = dc_i
        if counter_end not in ("wrap", "stop"):
            raise ValueError("counter_end must be wrap or stop, not %s" % counter_end)
        if not 0 < version < 255:
            raise ValueError("version must be 1 to 254, not %d" % version)
        self.live_bits = bool(checksum_live_bits)
        self.stops = counter_end == "stop"
        self.phcal_sign = 1 if phcal_sign > 0 else -1
        self.version = version
        self.checksum_seed = int(checksum_seed)
        self.last_changes = bool(last_changes)
        self.var_sign = 1 if var_sign > 0 else -1
        self.silent_us = int(silent_ms * 1000)
        self.checksum_delay_us = int(checksum_delay_ms * 1000)
        self.flags_return = bool(flags_return)
        self.key_strict = bool(key_strict)
        self.ripple = bool(ripple)
        self.period_settle_us = int(period_settle_ms * 1000)

    def at(self, celsius):
        """Let the chip and the resistors before it have this temperature."""
        tempco, curve, divider, burden, clkin = self._tempcos
        k = celsius - 25.0
        reference = 1.0 + (tempco + curve * 1e-3 * k) * k * 1e-6
        self.v_drift = reference * (1.0 + divider * k * 1e-6)
        self.i_drift = reference * (1.0 + burden * k * 1e-6)
        self.clkin_ppm = self._clkin_25_ppm + round(clkin * k * k * 1e-3)
