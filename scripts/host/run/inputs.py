"""What the lines carry: a recording, a load profile, a scenario's own steps, or the default day."""

import argparse
import re

from host.cli.refused import RefusedError
from host.stimulus import profile
from host.stimulus.recordings import player
from host.stimulus.recordings.lines import Options
from host.stimulus.scenario import Scenario
from host.stimulus.source import Source
from openkh.model import Model

FOR_WAVEFORM = ("map", "scale", "secondary", "rate")


def add_options(p: argparse.ArgumentParser) -> None:
    """The options that choose and read the input."""
    add = p.add_argument
    add("--scenario", metavar="FILE.toml", help="what happens on the virtual board")
    add("--load", metavar="FILE.csv", help="a load profile: time_s,watts[,power_factor]")
    add("--waveform", metavar="FILE", help="a recording, repeated end to end: COMTRADE, columns of text, .wav, .flac")
    add("--map", metavar="V1=CHANNEL,...", help="the recording's channels by name or number (V1, I1, V2, I2)")
    add("--scale", metavar="V=N,I=N", help="factors for the recording's volts and amps")
    add("--secondary", action="store_true", help="values as they leave the recording's instrument transformers")
    add("--rate", metavar="HZ", help="samples a second, where the recording does not say")
    add("--explain", action="store_true", help="say how the input was read, and run nothing")


def source_of(args: argparse.Namespace, plan: Scenario, model: Model) -> Source:
    """The input that the arguments ask for; the events of a scenario go with any other input."""
    if args.load is not None and args.waveform is not None:
        raise RefusedError("--load and --waveform: only one of them can say what the lines carry")
    for name in FOR_WAVEFORM:
        if getattr(args, name) not in (None, False) and args.waveform is None:
            raise RefusedError(f"--{name}: goes with --waveform")
    if args.load is not None or args.waveform is not None:
        option = "--load" if args.load is not None else "--waveform"
        if plan.drives_mains:
            raise RefusedError(f"scenario {plan.path}: l1, l2, hz and ramp cannot stand in it beside {option}")
        if args.load is not None:
            source = profile.csv_source(model, profile.load_csv(args.load), f"load profile {args.load}")
        else:
            source = player.source(args.waveform, _waveform_options(args), model)
    elif args.scenario is not None:
        source = plan.source(model)
        source.what = f"scenario {args.scenario}"
        return source
    else:
        return profile.household_source(model)
    source.events = plan.events()
    ends = [end for end in (source.end_s, plan.end_s) if end is not None]
    source.end_s = max(ends, default=None)
    return source


def _waveform_options(args: argparse.Namespace) -> Options:
    rate_hz = None
    if args.rate is not None:
        if not re.fullmatch(r"\d{1,9}(\.\d{1,9})?", args.rate, re.ASCII) or not 100 <= float(args.rate) <= 1e7:
            raise RefusedError(f"--rate {args.rate}: allowed: samples a second from 100 to 10000000, such as 30000")
        rate_hz = float(args.rate)
    return Options(args.map, args.scale, args.secondary, rate_hz)


def explained(source: Source) -> str:
    """How the input was read, a line each."""
    told = source.told.lines if source.told else []
    ends = "does not end by itself" if source.end_s is None else f"lasts {source.end_s:g} s"
    return "\n".join([source.what, *(f"  {line}" for line in told), f"  {ends}"])
