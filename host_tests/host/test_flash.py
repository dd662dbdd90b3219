"""scripts/flash: what it says when there is no board, two, or the wrong thing on one; what goes onto a device."""

import ast
from types import SimpleNamespace

import pytest

from host.cli.refused import FailedError, RefusedError
from host.flash import board_files, deploy, joined
from host.flash import command as flash
from host.port import prompt, serial_ports
from host.port.prompt import PortError, SerialPrompt
from host.port.terminal import PseudoTerminal
from host.sim.virtual_board import VirtualBoard

GOOD = ("micropython", (1, 27, 0), 4870, "rp2")


class Board:
    """Answers `check_micropython`'s question."""

    def __init__(self, answer: tuple) -> None:
        self.answer = answer

    def value(self, _expression: str) -> tuple:
        return self.answer


def refused(answer: tuple) -> str:
    with pytest.raises(FailedError) as error:
        flash.check_micropython(Board(answer))
    return str(error.value)


def test_right_micropython_is_taken() -> None:
    flash.check_micropython(Board(GOOD))


def test_wrong_ones_are_refused_with_what_to_do() -> None:
    assert "circuitpython 9.1.0" in refused(("circuitpython", (9, 1, 0), 517, "RP2040"))
    old = refused(("micropython", (1, 19, 1), 4102, "rp2"))
    assert "1.19.1" in old
    assert "1.27 or later" in old
    assert "--uf2" in old
    assert "version 7.3, this firmware is compiled to version 6.3" in refused(("micropython", (1, 40, 0), 4871, "rp2"))
    assert "version 6.2, this" in refused(("micropython", (1, 27, 0), 4614, "rp2"))
    for pico_2 in (7942, 12038):  # its ARM processor, and the other one
        assert "a Pico 2?" in refused(("micropython", (1, 28, 0), pico_2, "rp2"))
    assert "'esp32'" in refused(("micropython", (1, 27, 0), 4870, "esp32"))


class Meter:
    """A board with a meter that runs firmware a of the two slots. `stop_at`: the call at which an update ends."""

    def __init__(self, has_it: bool, meters: bool, stop_at: str, error: BaseException) -> None:
        self.calls: list[str] = []
        self.has_it, self.meters, self.stop_at, self.error = has_it, meters, stop_at, error

    def _called(self, what: str) -> None:
        self.calls.append(what)
        if self.stop_at and self.stop_at in what:
            raise self.error

    def value(self, expression: str) -> object:
        return {"NAME": "reference"} if expression == flash.CHOSEN else GOOD

    def execute(self, code: str, _seconds: float = 20.0) -> str:
        self._called(code)
        if "sys.path[0]" in code:
            return "/fw/a"
        if "_modules('/a" in code:
            return ""
        return str(self.meters) if code == flash.RUNNING else "True"

    def file_hash(self, path: str) -> str:
        files = deploy.slot_files(deploy.parts("reference", {}))
        has = (self.has_it and path[:3] == "/a/") or (path[:3] == "/b/" and f"/b/{deploy.CHECK}" in self.calls)
        return deploy.digest(files[path[3:]]) if has else ""

    def write_file(self, path: str, _data: bytes) -> None:
        self._called(path)

    def append(self, _data: bytes) -> None:
        pass

    def reset_by(self, code: str, _done_s: float = 1.0, _wait_s: float = 15.0) -> str:
        self._called("reset: " + code)
        return ""

    def restart_blind(self) -> bool:
        self.calls.append("restart_blind")
        return True

    def close(self) -> None:
        pass


@pytest.mark.parametrize("error", [KeyboardInterrupt(), PortError("the board was unplugged")])
@pytest.mark.parametrize("stop_at", ["update_mode", "/b/boot.mpy", "os.rename('/slot.new'"])
def test_what_ends_an_update_does_not_leave_a_meter_in_service_mode(
    stop_at: str, error: BaseException, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    device = Meter(has_it=False, meters=True, stop_at=stop_at, error=error)
    monkeypatch.setattr(flash, "SerialPrompt", lambda _port: device)
    monkeypatch.setattr(deploy, "parts", lambda _board, _chosen: {"boot.mpy": b"a boot", "main.mpy": b"a main"})
    assert flash.main(["--port", "here"]) != 0
    assert device.calls[-1] == "restart_blind"
    said = capsys.readouterr().err.splitlines()[-1]
    assert said in ("openkh: interrupted; the board starts the firmware it had, or the new one", f"openkh: {error}")


@pytest.mark.parametrize("meters", [True, False])
def test_a_board_that_has_the_firmware_meters_afterwards(meters: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """One in service mode is restarted."""
    device = Meter(has_it=True, meters=meters, stop_at="", error=ValueError())
    monkeypatch.setattr(flash, "SerialPrompt", lambda _port: device)
    monkeypatch.setattr(flash.time, "sleep", lambda _s: None)
    monkeypatch.setattr(deploy, "parts", lambda _board, _chosen: {"boot.mpy": b"a boot", "main.mpy": b"a main"})
    assert flash.main(["--port", "here"]) == 0
    assert ("reset: import machine\nmachine.reset()" in device.calls) is not meters


def plugged_in(monkeypatch: pytest.MonkeyPatch, *names: str, pid: int = 5) -> None:
    """Ports of USB devices, as pyserial lists them."""
    found = [SimpleNamespace(device=name, vid=0x2E8A, pid=pid, serial_number=f"e66{n}") for n, name in enumerate(names)]
    built_in = SimpleNamespace(device="/dev/ttyS0", vid=None, pid=None, serial_number=None)
    monkeypatch.setattr(serial_ports.list_ports, "comports", lambda: [built_in, *found])


def test_the_only_board_is_found_and_several_are_listed(monkeypatch: pytest.MonkeyPatch) -> None:
    plugged_in(monkeypatch, "/dev/ttyACM0")
    assert serial_ports.only_board() == "/dev/ttyACM0"
    plugged_in(monkeypatch, "/dev/ttyACM1", "/dev/ttyACM0")
    assert serial_ports.names() == "/dev/ttyACM0, /dev/ttyACM1"
    with pytest.raises(RefusedError, match=r"2 boards found.*--port /dev/ttyACM1 \(board e660\)"):
        serial_ports.only_board()
    plugged_in(monkeypatch, "/dev/ttyACM0", pid=serial_ports.PID_BOOTSEL)
    with pytest.raises(FailedError, match="no board with MicroPython"):
        serial_ports.only_board()


def test_no_board(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture) -> None:
    plugged_in(monkeypatch)
    monkeypatch.setattr(deploy, "parts", lambda _board, _chosen: {})
    assert flash.main([]) == 1
    said = capsys.readouterr().err
    assert said.startswith("openkh: no board") and "--uf2" in said and said.count("\n") == 1


def test_unusable_arguments_end_with_one_line_and_status_2(capsys: pytest.CaptureFixture) -> None:
    for arguments in (["--board", "kitchen"], ["--memory", "tape"], ["--port"], ["extra"], ["--bogus"]):
        assert flash.main(arguments) == 2
        said = capsys.readouterr().err
        assert said.startswith("openkh: ") and said.count("\n") == 1


def test_uf2_says_where_and_how(capsys: pytest.CaptureFixture) -> None:
    assert flash.main(["--uf2"]) == 0
    said = capsys.readouterr().out
    for word in ("micropython.org/download/RPI_PICO", "BOOTSEL", "RPI-RP2", "1.27"):
        assert word in said


def test_a_port_that_answers_nothing_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """mpremote waits on a pseudo-terminal without end unless it is told not to."""
    monkeypatch.setattr(prompt, "HANDSHAKE_S", 0.2)
    monkeypatch.setattr(prompt, "SILENT_S", 0.1)
    silent = PseudoTerminal()
    with pytest.raises(PortError, match="no MicroPython prompt"):
        SerialPrompt(silent.name)
    silent.close()


def _functions_and_classes(tree: ast.Module) -> int:
    """How many there are that a device gets."""
    unseen = [node for node in ast.walk(tree) if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test)]
    tree.body = [node for node in tree.body if node not in unseen]
    return sum(isinstance(node, ast.FunctionDef | ast.ClassDef) for node in ast.walk(tree))


@pytest.mark.parametrize("board", board_files.boards())
def test_every_board_gets_the_whole_firmware(board: str) -> None:
    """Each source is there, compiled for the RP2040, in a module of its own or in openkh.app, but those
    of numbers alone, which stand where they are used, and drivers of sensors that no board here names; and the
    bundle's index finds each where it lies."""
    modules = deploy.parts(board)
    texts = deploy.texts(board)
    assert "openkh/__init__.mpy" in modules  # by whose place the firmware's hash finds its files
    left_out = {path.removesuffix(".py") + ".mpy" for path in deploy.SENSORS.values()}
    assert not left_out & set(modules)
    names = {str(path.relative_to(deploy.FIRMWARE))[:-3] + ".mpy" for path in deploy.FIRMWARE.rglob("*.py")}
    assert names | {"board.mpy", "glass.mpy", deploy.NAMES} >= set(modules)
    together = [(deploy.FIRMWARE / joined.APP).read_text()]
    for name in names - set(modules) - left_out:
        together.append((deploy.FIRMWARE / name.replace(".mpy", ".py")).read_text())
    made = sum(_functions_and_classes(ast.parse(text)) for text in together)
    assert _functions_and_classes(ast.parse(texts[joined.APP])) == made > 400
    data = deploy.bundle(modules)
    head, rest = data.split(b"\n", 1)
    size, whole = map(int, head.split()[1:])
    base = len(head) + 1 + size
    assert base + whole == len(data)
    found = {}
    for line in rest[:size].decode().split("\n"):
        folder, _, inside = line.partition(" ")
        for name, offset, length in (entry.split() for entry in inside.split("/")[1:]):
            found[f"{folder}/{name}"] = (int(offset), int(length))
    for name, module in modules.items():
        assert module[:2] == b"M\x06" or name == deploy.NAMES
        assert module[2] in (0, deploy.MPY >> 8) or name == deploy.NAMES  # byte code alone, or machine code for it too
        offset, size = found["/" + name]
        assert data[base + offset : base + offset + size] == module


def test_what_makes_the_outputs_safe_at_a_start_waits_for_nothing_large() -> None:
    """boot.py sets the pins after its imports: they are small modules, on a device too."""
    texts = deploy.texts("reference")
    loaded: list[str] = []
    todo = ["boot.py"]
    while todo:
        path = todo.pop()
        loaded.append(path)
        for node in ast.parse(texts[path]).body:
            modules = [alias.name for alias in node.names] if isinstance(node, ast.Import | ast.ImportFrom) else []
            if isinstance(node, ast.ImportFrom):
                modules = [node.module or "", *(f"{node.module}.{name}" for name in modules)]
            paths = {name.replace(".", "/") + ".py" for name in modules}
            todo += [path for path in paths & set(texts) if path not in loaded + todo]
    restart = ["openkh/startup/restart.py", "openkh/startup/sealed_word.py"]
    assert sorted(loaded) == ["board.py", "boot.py", "glass.py", *restart]


@pytest.mark.parametrize("board", board_files.boards())
def test_what_is_chosen_reaches_the_boards_file(board: str) -> None:
    """MEMORY, DISPLAY and RS485, every value; and the launcher knows the board's seal."""
    for name, values in board_files.CHOICES.items():
        for value in values:
            chosen: dict = {}
            exec(compile(board_files.text(board, {name: value}), "board", "exec"), chosen)
            if name == "RS485":
                pins = (1, 24, 25, 29) if board == "reference" else (1, 4, 5, 6)
                assert chosen[name] == (pins if value == "port" else None) and "RS485_PINS" not in chosen
            else:
                assert chosen[name] == value
    with pytest.raises(FailedError, match="MEMORY 'tape'"):
        board_files.text(board, {"MEMORY": "tape"})
    asks = f"machine.Pin({chosen['PIN_SEAL']}, machine.Pin.IN"
    launch = deploy.compile_text(deploy.launch_text(board), "launch.py")
    assert asks in deploy.launch_text(board) and deploy.launcher(board)["launch.mpy"] == launch


def test_an_unknown_board_is_refused() -> None:
    with pytest.raises(deploy.DeployError, match="there are breadboard, low_voltage, reference"):
        deploy.parts("kitchen")


def test_a_meter_that_takes_its_time_to_restart_is_waited_for() -> None:
    """The meter saves, ends what runs and then restarts: what is asked next is asked of the restarted one."""
    config = {"model": "MDNCT-1SC", "service": "60Hz", "seed": 1, "board": {}}
    with VirtualBoard(config, engine="micropython", speed=0.4) as board:
        board.mains((120.0, 10.0, 0.0), (120.0, 10.0, 0.0))
        board.wait(1)
        device = SerialPrompt(board.port)
        try:
            assert "restarts" in device.reset_by("import openkh.service\nopenkh.service.restart()", 10.0)
            assert "restart" in device.execute("import openkh.service\nopenkh.service.events(2)")
        finally:
            device.close()


class _Board:
    """Keeps the files that `fill` writes, in place of a device."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        self._open = ""

    def execute(self, code: str, _wait_s: float = 0.0) -> str:
        if "'wb')" in code:
            self._open = code.split("open('")[1].split("'")[0]
            self.files[self._open] = b""
        return ""

    def append(self, data: bytes) -> None:
        self.files[self._open] += data

    def write_file(self, path: str, data: bytes) -> None:
        self.files[path] = data

    def file_hash(self, path: str) -> str:
        return deploy.digest(self.files.get(path, b""))


def test_a_slot_is_filled_with_the_files_that_its_check_is_made_of(capsys: pytest.CaptureFixture) -> None:
    """Bundle head and parts are sent one by one, and together they are the bundle."""
    modules = {"boot.mpy": b"boot", "openkh/app.mpy": b"application"}
    board = _Board()
    flash.fill(board, "a", modules, "")  # type: ignore[arg-type]
    assert board.files == {f"/a/{name}": data for name, data in deploy.slot_files(modules).items()}
    assert "2 parts sent, 0 taken over" in capsys.readouterr().err
