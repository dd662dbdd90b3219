"""The microsecond ticks of `time`, typed as the integers they are. They wrap at 2^30: use ticks_diff."""

TYPE_CHECKING = False
if TYPE_CHECKING:

    def ticks_us() -> int:
        """Now, 0 .. 2^30 - 1."""

    def ticks_diff(end: int, start: int) -> int:
        """Signed distance in us, right up to 2^29 (8.9 minutes)."""

    def ticks_add(ticks: int, delta: int) -> int:
        """Ticks moved by `delta` us."""
else:
    from time import ticks_add, ticks_diff, ticks_us

__all__ = ("ticks_add", "ticks_diff", "ticks_us")
