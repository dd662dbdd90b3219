"""What is not measured is shown as not measured."""

import json

from host.sim.board import Board

CONFIG = {"model": "MDNCT-1SC", "service": "60Hz", "seed": 5, "board": {}}


def test_DX_6_a_line_without_voltage_has_no_frequency_and_one_that_is_silent_nothing():
    with Board(CONFIG) as board:
        board.stimulus([["mains", None, 0, [120.0, 20.0, 0.0, 0.0], [0.0, 0.0, 0.0, 180.0], 60.0]])
        board.wait(4.0)
        board.execute("import openkh.service as s", 1.0)
        one, two = json.loads(board.execute("s.lines(json=True)", 5.0))["lines"]
        assert one["pf_milli"] == 1000 and abs(one["mhz"] - 60_000) < 10
        assert (two["pf_milli"], two["angle_mdeg"], two["mhz"]) == (None, None, None) and two["v_mv"] < 100
        rows = board.execute("s.lines()", 5.0).splitlines()
        assert rows[1].split()[-6:] == ["PF", "--", "--", "deg", "--", "Hz"]
        assert len(rows[0]) == len(rows[1])
        assert board.look()["lines"][1]["pf"] is None
        board.stimulus([["fault", None, "chip2", "silent", {}, 0]])
        board.wait(3.0)
        _, two = json.loads(board.execute("s.lines(json=True)", 5.0))["lines"]
        assert {two[name] for name in ("v_mv", "i_ma", "p_mw", "q_mvar", "mhz")} == {None} and two["silent"]
        assert board.execute("s.lines()", 5.0).splitlines()[1].endswith("-- Hz  NO ANSWER")
