"""The transcripts in docs/service.md are what the firmware answers, figures aside."""

import difflib

from host.docs_made import transcripts


def test_CA_1_the_guide_shows_what_the_firmware_answers():
    """After a change of an answer: python -m host.docs_made.transcripts (PYTHONPATH as in scripts/bench)."""
    page = transcripts.PAGE.read_text()
    shown, now = (transcripts.masked(text).split("\n") for text in (page, transcripts.replayed(page)))
    assert list(difflib.unified_diff(shown, now, "docs/service.md", "firmware", lineterm="")) == []
    for command in (
        "status",
        "window",
        "cal_gain",
        "cal_offset",
        "save",
        "undo",
        "fine_pulses",
        "update_mode",
        "provision",
    ):
        assert f">>> {command}(" in page
