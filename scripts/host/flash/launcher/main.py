"""Starts the meter of the slot that boot.py has chosen: both run in one namespace."""

globals().update(launch.run())  # type: ignore[name-defined]  # noqa: F821
