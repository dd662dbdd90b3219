"""The transcripts in docs/service.md, run on the virtual board: each line `>>> command` of it, in order.

python -m host.docs_made.transcripts            writes them anew; the tests compare them, digits aside
In the page `<!-- meter: MODEL [flash] [blank] -->` begins with another meter, `<!-- load: AMPS DEGREES -->` sets both
lines' load.
"""

import re
import sys
from pathlib import Path

from host.rigs.prompt_rig import Prompt, started
from host.sim.link import TOP

PAGE = TOP / "docs" / "service.md"
ASK = ">>> "
SETTLE_S = 4.0
MOST_RESTART_S = 20
RESTARTS = ("restart(", "provision(", "update_mode(")
_NOTE = re.compile(r"<!-- (meter|load): ([^>]*) -->")


def replayed(page: str) -> str:
    """The page with what the meter answers now."""
    prompt: Prompt | None = None
    out: list[str] = []
    inside = answering = False
    try:
        for line in page.split("\n"):
            note = _NOTE.fullmatch(line.strip())
            if line.startswith("```"):
                inside = not inside
                answering = False
            elif note and note[1] == "meter":
                if prompt:
                    prompt.close()
                prompt = _meter(note[2].split())
            elif note and prompt:
                amps, degrees = note[2].split()
                prompt.load(float(amps), float(degrees))
                prompt.go(SETTLE_S)
            elif inside and line.startswith(ASK) and prompt:
                answering = True
                out += [line, *_answer(prompt, line[len(ASK) :])]
                continue
            if not (inside and answering):
                out.append(line)
    finally:
        if prompt:
            prompt.close()
    return "\n".join(out)


def masked(page: str) -> str:
    """Without the figures, which change with every change of the firmware."""
    return re.sub(r" +", " ", re.sub(r"[-+]?\b(?:[0-9a-f]{64}|\d+(?:\.\d+)?)", "#", page))


def _meter(words: list[str]) -> Prompt:
    board: dict[str, object] = {"memory": "flash"} if "flash" in words else {}
    if "blank" in words:
        board["blank"] = True
    return started("micropython", model=words[0], board=board)


def _answer(prompt: Prompt, command: str) -> list[str]:
    starts = len(prompt.boots())
    said = prompt.execute(command)
    if command.startswith(RESTARTS) and not said.startswith("ERROR"):
        for _ in range(MOST_RESTART_S):
            if len(prompt.boots()) > starts:
                break
            prompt.go(1.0)
        prompt.go(SETTLE_S)
        prompt.restarted()
        prompt.execute("import openkh.service as s")
    return said.rstrip("\n").split("\n")


def main() -> int:
    """Write the page anew."""
    Path(PAGE).write_text(replayed(PAGE.read_text()))
    return 0


if __name__ == "__main__":
    sys.exit(main())
