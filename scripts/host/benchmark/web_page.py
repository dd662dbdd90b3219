"""What the page of the meter costs in Chromium: the first glass, the pace with the page drawing, memory over a long
run, and whether the run's report equals that of the unix port."""

import json
import shutil
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

from host.cli.refused import RefusedError
from host.sim.link import Link
from host.web import command, site

Row = tuple[str, Any, str]
CONFIG = {"model": "MDNCT-1SC", "service": "60Hz", "seed": 1, "board": {}, "memory": {}}
LOAD = [["mains", 0, 0, [120.0, 20.0, 30.0, 0.0], [120.0, 10.0, 0.0, 180.0], 60.0]]
HOUR_US = 3_600_000_000
LATEST_MS = 60_000
MEMORY = "performance.memory.usedJSHeapSize"


def rows(hours: int) -> list[Row]:
    """`hours` of simulated time at full speed. RefusedError without a Chromium; figures of the page in one run."""
    program = shutil.which("chromium")
    if program is None:
        raise RefusedError("--web-hours: needs the program chromium (on Debian: apt-get install chromium)")
    from playwright.sync_api import sync_playwright

    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        site.build(Path(folder))
        with command.server(Path(folder), 0) as serving:
            threading.Thread(target=serving.serve_forever, daemon=True).start()
            flags = ["--no-sandbox", "--enable-precise-memory-info"]
            browser = playwright.chromium.launch(executable_path=program, args=flags)
            page = browser.new_page()
            began = time.perf_counter()
            page.goto(f"http://{command.ADDRESS}:{serving.server_address[1]}/")
            page.wait_for_selector("html[data-glass]", timeout=LATEST_MS)
            first_s = time.perf_counter() - began
            final, paces, heaps = _hours(page, hours)
            browser.close()
            serving.shutdown()
        bytes_ = site.size(Path(folder))
    with Link("micropython", CONFIG) as desk:
        desk.run(hours * HOUR_US, LOAD)
        expected = desk.finish()
    same = final["register"] == expected["register"] and final["pulses"] == expected["pulses"]
    return [
        ("size of the site", f"{bytes_ / 1e6:.2f}", "MB"),
        ("opening the page to the first glass", f"{first_s:.2f}", "s"),
        ("simulated seconds per second, each hour", f"{min(paces):.0f} .. {max(paces):.0f}", "x"),
        ("heap of the page after the first and the last hour", f"{heaps[0] / 1e6:.1f}, {heaps[-1] / 1e6:.1f}", "MB"),
        ("heap of the interpreter, likewise", " ".join(final["heaps"]), "bytes"),
        ("register and pulses as on the unix port", "yes" if same else "NO", ""),
    ]


def _hours(page: Any, hours: int) -> tuple[dict[str, Any], list[float], list[int]]:
    """The final answer of the engine, and after each hour the pace and the page's heap."""
    paces, heaps, used = [], [], []
    page.evaluate("([config, items]) => openkh.begin(config, items)", [CONFIG, LOAD])
    for hour in range(1, hours + 1):
        began = time.perf_counter()
        page.evaluate("(until) => openkh.run(until)", hour * HOUR_US)
        paces.append(3600 / (time.perf_counter() - began))
        heaps.append(page.evaluate(MEMORY))
        used.append(page.evaluate("openkh.heap()"))
        print(f"  hour {hour} of {hours}: {paces[-1]:.0f} simulated seconds per second", file=sys.stderr, flush=True)
    final = json.loads(page.evaluate("openkh.end()"))
    return final | {"heaps": [used[0], used[-1]]}, paces, heaps
