"""A file of a recording as the input of a run: read, its lines chosen, sampled, and what there is to say of it."""

import os
from types import ModuleType
from typing import Any

import numpy as np

from host.cli.refused import RefusedError
from host.stimulus.lines import Point
from host.stimulus.recordings import audio, columns, comtrade
from host.stimulus.recordings.capture import Capture, RecordingError
from host.stimulus.recordings.lines import Options, Pick, choose
from host.stimulus.recordings.recording import Recording
from host.stimulus.recordings.sampling import sampled
from host.stimulus.recordings.signal_path import wave
from host.stimulus.source import Source, Told, source_of_points
from openkh.model import Model

READERS: tuple[ModuleType, ...] = (comtrade, audio, columns)
HEAD_BYTES = 4096
HZ_NOTED = 1.0  # a frequency further off the service's is said


def source(path: str, options: Options, model: Model) -> Source:
    """The input that a recording makes, repeated end to end. RefusedError where it cannot."""
    try:
        capture, picks, recording, notes = read(path, options, float(model.hz))
        notes += _against(recording, picks, model, options)
    except RecordingError as e:
        raise RefusedError(f"waveform {path}: {e}") from None
    played = wave(recording, model)
    made = source_of_points([Point(0, False, played.mean_lines(model), recording.hz)], [], None)
    made.wave = played
    made.what = f"recording {path}, {recording.seconds:g} s, repeated"
    used = picks[: model.elements]
    made.told = Told(
        capture.kind, [capture.kind, *_shown(used, recording), *notes], _facts(capture, used, recording, notes)
    )
    return made


def read(
    path: str, options: Options, usual_hz: float = 60.0
) -> tuple[Capture, list[tuple[Pick, Pick]], Recording, list[str]]:
    """(what the file holds, the channels taken, the recording, notes). RecordingError with one clear line otherwise."""
    with np.errstate(all="ignore"):  # what is no finite number is found and named
        capture = _capture(path, options.rate_hz)
        picks = choose(capture, options)
        recording, notes = sampled(capture, picks, usual_hz)
    return capture, picks, recording, [*capture.notes, *notes]


def _capture(path: str, rate_hz: float | None) -> Capture:
    try:
        if os.path.isdir(path):
            path = comtrade.in_folder(path)
        if not os.path.exists(path):
            raise RecordingError("no such file")
        if not os.path.isfile(path):
            raise RecordingError("not a file")  # a device may have no end
        with open(path, "rb") as f:
            head = f.read(HEAD_BYTES)
        for reader in READERS:
            if reader.matches(path, head):
                capture: Capture = reader.read(path, rate_hz)
                return capture
    except OSError as e:
        raise RecordingError(f"cannot be read: {e.strerror or e}") from None
    except ValueError as e:
        if isinstance(e, RecordingError):
            raise
        raise RecordingError(f"cannot be read: {e}") from None  # a NUL in the name
    raise RecordingError("no recording that is known: allowed: COMTRADE, text columns, .wav, .flac")


def _rms(samples: np.ndarray) -> float:
    return float(np.sqrt(np.mean(samples * samples)))


def _against(recording: Recording, picks: list[tuple[Pick, Pick]], model: Model, options: Options) -> list[str]:
    """What the meter makes of these values: refused where they are beyond its full scale and nobody has said how they
    are meant; said where they are odd."""
    notes = []
    full = {"V": model.full_scale_mv / 1000, "I": model.full_scale_ma / 1000}
    units = {"V": "V", "I": "A"}
    meant = options.scale is not None
    for pair, samples in zip(picks[: model.elements], recording.lines):
        for pick, values in zip(pair, samples):
            quantity = pick.key[0]
            rms, peak, most = _rms(values), float(np.max(np.abs(values))), full[quantity]
            if rms > most and not meant:
                raise RecordingError(
                    f"channel {pick.channel.shown}: {rms:.4g} {units[quantity]} rms is {rms / most:.3g} times the "
                    f"meter's full scale of {most:g} {units[quantity]}; {_offer(picks, recording, full, model)}"
                )
            if peak > most * np.sqrt(2):
                notes.append(
                    f"{pick.key}: peaks of {peak:.4g} {units[quantity]} are beyond full scale "
                    f"({most * np.sqrt(2):.4g} {units[quantity]}) and cut off, as the front end does"
                )
            if peak == 0:
                notes.append(
                    f"{pick.key}: channel {pick.channel.shown} is 0 throughout; --map V1=...,I1=... takes others"
                )
    if len(picks) < model.elements:
        notes.append("line 2: nothing is recorded of it; --model MSNCT-1SC is a meter for one line")
    if abs(recording.hz - model.hz) > HZ_NOTED:
        notes.append(f"{recording.hz:.4g} Hz, and the service is {model.hz} Hz")
    return notes


def _offer(picks: list[tuple[Pick, Pick]], recording: Recording, full: dict[str, float], model: Model) -> str:
    """What to type for values that fit: the secondary ones where they do, nominal volts and half the range else."""
    pairs = list(zip(picks[: model.elements], recording.lines))
    values = [(pick, _rms(part)) for pair, parts in pairs for pick, part in zip(pair, parts)]
    ratios = [pick.channel.to_secondary for pick, _ in values]
    fits = all(
        second is not None and first and rms * second / first <= full[pick.key[0]]
        for (pick, rms), first, second in ((v, v[0].channel.to_primary, r) for v, r in zip(values, ratios))
    )
    scaled = any(pick.channel.ratio for pick, _ in values)
    most = {q: max(rms for pick, rms in values if pick.key[0] == q) for q in "VI"}
    volts = 1.0 if most["V"] <= full["V"] else model.nominal_mv / 1000 / most["V"]
    amps = 1.0 if most["I"] <= full["I"] else full["I"] / 2 / most["I"]
    offer = f"--scale V={volts:.3g},I={amps:.3g} makes it fit"
    return offer + (", --secondary takes what leaves the instrument transformers" if fits and scaled else "")


def _shown(picks: list[tuple[Pick, Pick]], recording: Recording) -> list[str]:
    lines = []
    for number, (pair, samples) in enumerate(zip(picks, recording.lines), 1):
        parts = []
        for pick, values, unit in zip(pair, samples, "VA"):
            ratio = f", ratio {pick.channel.ratio}" if pick.channel.ratio else ""
            parts.append(f"channel {pick.channel.shown}{ratio}: {_rms(values):.5g} {unit}")
        lines.append(f"line {number}: {'; '.join(parts)}; {recording.true_w()[number - 1]:.6g} W")
    return lines


def _facts(capture: Capture, picks: list[tuple[Pick, Pick]], recording: Recording, notes: list[str]) -> dict[str, Any]:
    lines = [
        {
            pick.key[0].lower(): {
                "number": pick.channel.number,
                "name": pick.channel.name,
                "unit": pick.channel.unit,
                "ratio": pick.channel.ratio,
                "factor": pick.factor,
                "rms": round(_rms(values), 9),
            }
            for pick, values in zip(pair, samples)
        }
        for pair, samples in zip(picks, recording.lines)
    ]
    return {
        "kind": capture.kind,
        "lines": lines,
        "rate_hz": recording.rate_hz,
        "cycles": round(recording.seconds * recording.hz),
        "hz": round(recording.hz, 6),
        "notes": notes,
    }
