"""Recordings of voltages and currents, read from what recorders, loggers and data sets write.

    capture.py       what every reader gives: channels of samples with their instants
    comtrade.py      IEEE C37.111: .cfg with .dat, .cff (comtrade_cfg.py: the description, comtrade_dat.py: the samples)
    columns.py       text columns
    audio.py         .wav, .flac
    lines.py         which channels are the lines, and in what scale
    sampling.py      channels to even samples of whole cycles
    signal_path.py   what the front end makes of them
    player.py        a file to the input of a run

Another kind of file: a module with `matches(path, head)` and `read(path, rate_hz)`, entered in player.READERS.
"""
