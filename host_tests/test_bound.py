"""Objects of the measuring cycle hold their methods, and have nothing more than before beside them (DR-7)."""

from openkh.bound import bind


class _Holder:
    def __init__(self) -> None:
        for n in range(40):
            setattr(self, f"attribute_{n}", n)
        bind(self, "one two")

    def one(self) -> int:
        return 1

    def two(self) -> int:
        return 2


def test_DR_7_an_object_holds_its_methods_and_no_filler_stays():
    holder = _Holder()
    assert set(vars(holder)) == {f"attribute_{n}" for n in range(40)} | {"one", "two"}
    assert (holder.one(), holder.two(), holder.attribute_39) == (1, 2, 39)
