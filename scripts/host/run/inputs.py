"""What the lines carry: a recording, a load profile, a scenario's own steps, or the default day."""

import argparse
import re

from host.cli.refused import RefusedError
from host.stimulus.profiles import clock, household, profile, reader
from host.stimulus.scenario import Scenario
from host.stimulus.source import Source
from openkh.model import Model

FOR_WAVEFORM = ("secondary", "rate")
FOR_LOAD = ("from", "to", "timezone")
FOR_BOTH = ("map", "scale")


def add_options(p: argparse.ArgumentParser) -> None:
    """The options that choose and read the input."""
    add = p.add_argument
    add("--scenario", metavar="FILE.toml", help="what happens on the virtual board")
    add(
        "--load",
        metavar="FILE",
        help="a load profile: a table, Green Button, NEM12, exports of loggers and home automation",
    )
    add("--waveform", metavar="FILE", help="a recording, repeated end to end: COMTRADE, columns of text, .wav, .flac")
    add(
        "--map",
        metavar="KEY=NAME,...",
        help="channels of a recording (V1, I1, ...), columns of a profile (kW, Wh, ...)",
    )
    add("--scale", metavar="V=N,I=N", help="factors for a recording's volts and amps; one factor N for a profile")
    add("--secondary", action="store_true", help="values as they leave the recording's instrument transformers")
    add("--rate", metavar="HZ", help="samples a second, where the recording does not say")
    add("--from", metavar="TIME", help="where in the profile to begin: 2025-01-31T12:00, or 90m from its start")
    add("--to", metavar="TIME", help="where in the profile to end")
    add("--timezone", metavar="ZONE", help="of a profile's clock, such as Europe/Berlin; else that of the file, or UTC")
    add("--explain", action="store_true", help="say how the input was read, and run nothing")


def source_of(args: argparse.Namespace, plan: Scenario, model: Model) -> Source:
    """The input that the arguments ask for; the events of a scenario go with any other input."""
    if args.load is not None and args.waveform is not None:
        raise RefusedError("--load and --waveform: only one of them can say what the lines carry")
    for names, allowed in ((FOR_WAVEFORM, ("waveform",)), (FOR_LOAD, ("load",)), (FOR_BOTH, ("waveform", "load"))):
        for name in names:
            used = getattr(args, name) not in (None, False)
            if used and all(getattr(args, other) is None for other in allowed):
                raise RefusedError(f"--{name}: goes with {' or '.join('--' + other for other in allowed)}")
    if args.load is not None or args.waveform is not None:
        option = "--load" if args.load is not None else "--waveform"
        if plan.drives_mains:
            raise RefusedError(f"scenario {plan.path}: l1, l2, hz and ramp cannot stand in it beside {option}")
        if args.load is not None:
            source = reader.source(args.load, _load_options(args, model), model)
        else:
            source = _recording(args, model)
    elif args.scenario is not None:
        source = plan.source(model)
        source.what = f"scenario {args.scenario}"
        return source
    else:
        return household.household_source(model)
    source.events = plan.events()
    ends = [end for end in (source.end_s, plan.end_s) if end is not None]
    source.end_s = max(ends, default=None)
    return source


def _recording(args: argparse.Namespace, model: Model) -> Source:
    from host.stimulus.recordings import player  # here, because NumPy and SciPy take longer to load than a short run
    from host.stimulus.recordings.lines import Options

    rate_hz = None
    if args.rate is not None:
        if not re.fullmatch(r"\d{1,9}(\.\d{1,9})?", args.rate, re.ASCII) or not 100 <= float(args.rate) <= 1e7:
            raise RefusedError(f"--rate {args.rate}: allowed: samples a second from 100 to 10000000, such as 30000")
        rate_hz = float(args.rate)
    return player.source(args.waveform, Options(args.map, args.scale, args.secondary, rate_hz), model)


def _load_options(args: argparse.Namespace, model: Model) -> profile.Options:
    scale = 1.0
    if args.scale is not None:
        if not re.fullmatch(r"-?(\d{1,9}\.?\d{0,9}|\.\d{1,9})(e-?\d{1,2})?", args.scale, re.ASCII) or not float(
            args.scale
        ):
            raise RefusedError(f"--scale {args.scale}: allowed with --load: a factor such as 0.5")
        scale = float(args.scale)
    try:
        zone = clock.zone_of(args.timezone) if args.timezone is not None else None
    except profile.ProfileError as e:
        raise RefusedError(str(e)) from None
    volts = model.nominal_mv / 1000
    return profile.Options(args.map, getattr(args, "from"), args.to, zone, scale, volts)


def explained(source: Source) -> str:
    """How the input was read, a line each."""
    told = source.told.lines if source.told else []
    ends = "does not end by itself" if source.end_s is None else f"lasts {source.end_s:g} s"
    return "\n".join([source.what, *(f"  {line}" for line in told), f"  {ends}"])
