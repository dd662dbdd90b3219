"""Waveforms as sound files (.wav, .flac): full scale is 1, and `--scale` makes volts and amps."""

import os

import numpy as np

from host.stimulus.recordings.capture import MOST_BYTES, MOST_SAMPLES, Capture, Channel, RecordingError, even


def matches(path: str, head: bytes) -> bool:
    """Whether the file begins as a sound file does."""
    del path
    return head.startswith((b"fLaC", b"RIFF", b"RF64"))


def read(path: str, rate_hz: float | None) -> Capture:
    """The channels of a sound file. RecordingError with one clear line otherwise."""
    import soundfile  # here, because it loads a native library that only this needs

    if os.path.getsize(path) > MOST_BYTES:
        raise RecordingError(f"{os.path.getsize(path) // 10**6} MB; allowed: {MOST_BYTES // 10**6} MB")
    try:
        with soundfile.SoundFile(path) as sound:
            if sound.frames > MOST_SAMPLES or sound.channels > 64:
                raise RecordingError(
                    f"{sound.channels} channels of {sound.frames} samples; allowed: 64 of {MOST_SAMPLES}"
                )
            values = sound.read(dtype="float64", always_2d=True)
            rate = float(sound.samplerate)
            kind = f"{sound.format} {sound.subtype}"
    except (soundfile.SoundFileError, RuntimeError, ValueError) as e:
        if isinstance(e, RecordingError):
            raise
        raise RecordingError(f"not a sound file: {e}") from None
    if not len(values):
        raise RecordingError("no samples")
    channels = [Channel(n + 1, f"channel {n + 1}", "", _column(values, n)) for n in range(values.shape[1])]
    instants, parts = even(len(values), rate_hz or rate)
    return Capture(f"sound, {kind}", channels, instants, parts)


def _column(values: np.ndarray, index: int):
    return lambda: np.array(values[:, index])
