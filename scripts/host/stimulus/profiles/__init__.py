"""Load profiles, read from what utilities, loggers and home automations export.

    profile.py         what every reader gives, and the input of a run made of it
    series.py          values with their times to stretches of constant power
    reader.py          which reader a file is for, by its content
    table.py           delimited text of any shape; columns.py: what each column is; cells.py, clock.py: numbers, times
    green_button.py, nem12.py, channel.py, energy_dashboard.py    formats with a structure of their own
    household.py       the default day

Another format: a module with `matches(head)` and `read(text, options)`, entered in reader.READERS. One that is a table
with known column names needs only a row in columns.KNOWN.
"""
