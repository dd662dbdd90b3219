"""Objects of the measuring cycle hold their methods, and have nothing more than before beside them (DR-7)."""

import ast

from host.flash.deploy import FIRMWARE
from openkh import bound


class _Holder:
    def __init__(self) -> None:
        for n in range(40):
            setattr(self, f"attribute_{n}", n)
        bound.bind(self, "one", "two")

    def one(self) -> int:
        return 1

    def two(self) -> int:
        return 2


def test_DR_7_an_object_holds_its_methods_and_no_filler_stays():
    holder = _Holder()
    assert set(vars(holder)) == {f"attribute_{n}" for n in range(40)} | {"one", "two"}
    assert (holder.one(), holder.two(), holder.attribute_39) == (1, 2, 39)


def test_DR_7_what_a_start_puts_off_is_bound_when_it_says_so():
    bound.later()
    try:
        first, second = _Holder(), _Holder()
        bound.at_once(second, "one")  # what a hard interrupt asks
        assert "one" not in vars(first) and "one" in vars(second) and "two" not in vars(second)
    finally:
        bound.now()
    assert {"one", "two"} <= set(vars(first)) and {"one", "two"} <= set(vars(second))
    assert "one" in vars(_Holder())
    bound.now()


def test_DR_7_no_attribute_is_called_like_a_filler():
    """It would be overwritten, and be gone."""
    texts = [path.read_text() for path in FIRMWARE.rglob("*.py")]
    used = {node.attr for text in texts for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Attribute)}
    assert not used & set(bound._FILLERS)


def test_DR_7_no_private_name_becomes_a_filler_on_a_device():
    from host.flash.short_names import ATTRIBUTES, WORDS

    assert not {*ATTRIBUTES, *WORDS} & set(bound._FILLERS)
