"""Model codes and services (ID-1 to ID-3, EN-6, DX-4)."""

import itertools

import pytest

from openkh.model import WGAIN_NOMINAL, WGAIN_UNITY, Model

CODES = ["M%s%sT-%s%s" % p for p in itertools.product("SD", ("NC", "TC"), "12", ("SC", "SP", "NC"))]


@pytest.mark.parametrize("code", CODES)
def test_ID_1_every_code_reads_back(code):
    model = Model(code, "60Hz")
    assert model.elements == (2 if code[1] == "D" else 1)
    assert model.counter_wh == (100 if code[2:4] == "NC" else 1000)
    assert model.rating_a == int(code[6]) * 100
    assert model.core == code[7:]


@pytest.mark.parametrize(
    "code, position, allowed",
    [
        ("", 1, "M"),
        ("XDNCT-1SC", 1, "M"),
        ("MXNCT-1SC", 2, "S"),
        ("M", 2, "S"),
        ("MDXCT-1SC", 3, "NC"),
        ("MDNCX-1SC", 5, "T"),
        ("MDNCT1SC", 6, "-"),
        ("MDNCT-3SC", 7, "1"),
        ("MDNCT-12SC", 8, "SC"),
        ("MDNCT-1SC ", 8, "SC"),
        ("MDNCT-1sc", 8, "SC"),
    ],
)
def test_ID_1_a_wrong_code_names_position_and_what_is_allowed(code, position, allowed):
    with pytest.raises(ValueError, match="position %d .*allowed: .*%s" % (position, allowed)):
        Model(code, "60Hz")


def test_ID_2_dual_element_at_50_hz_is_refused():
    with pytest.raises(ValueError, match="dual-element"):
        Model("MDNCT-1SC", "50Hz")


@pytest.mark.parametrize("service", ["", "60", "60hz", "55Hz", None])
def test_ID_2_unknown_service_is_refused(service):
    with pytest.raises(ValueError, match="60Hz, 50Hz"):
        Model("MSNCT-1SC", service)


def test_DX_4_voltage_limits_scale_with_the_service_and_currents_with_the_rating():
    low, high = Model("MSNCT-1SC", "60Hz"), Model("MSNCT-2SC", "50Hz")
    assert (low.lu_mv, low.hu_mv, high.lu_mv, high.hu_mv) == (102_000, 138_000, 204_000, 276_000)
    assert (low.hc_ma, high.hc_ma, low.start_ma, high.start_ma) == (110_000, 220_000, 50, 100)


@pytest.mark.parametrize(
    "code, service", [("MDNCT-1SC", "60Hz"), ("MDNCT-2SC", "60Hz"), ("MSNCT-1SC", "50Hz"), ("MSNCT-2SC", "50Hz")]
)
def test_EN_6_nominal_gain_makes_the_models_counts_per_wh(code, service):
    model = Model(code, service)
    full_scale_counts_per_s = 4_862_401 * 895_000 / 128 / 163_840  # DS p.24-25
    wanted = model.counts_per_wh * model.full_scale_w / 3600
    assert model.full_scale_w == model.full_scale_mv * model.full_scale_ma // 1_000_000
    assert abs(full_scale_counts_per_s * WGAIN_NOMINAL / WGAIN_UNITY / wanted - 1) < 2e-7
