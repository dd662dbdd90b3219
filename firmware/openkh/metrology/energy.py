"""Energy is kept as whole watt-hours and a remainder in counts of the front end: exact, and without heap (EN-1 to EN-3,
EN-6)."""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from openkh.model import Model
    from openkh.state import State

ROLL_WH = 1_000_000_000
"""The registers roll over at 1,000,000 kWh (EN-3)."""


def book(state: "State", net_counts: int, counts_per_wh: int) -> None:
    """Book one measuring cycle's net counts, the sum over both lines, into `state`.

    Positive counts are energy delivered, negative ones energy received; the two are kept apart (EN-1). `net_counts` is
    at most the full-scale rate times the time in which it was counted, far below 2^29.
    """
    if net_counts > 0:
        counts = state.delivered_counts + net_counts
        if counts >= counts_per_wh:
            wh = state.delivered_wh + counts // counts_per_wh
            counts %= counts_per_wh
            if wh >= ROLL_WH:
                wh -= ROLL_WH
                state.rolls += 1
            state.delivered_wh = wh
        state.delivered_counts = counts
        state.sub_counts += net_counts
    elif net_counts < 0:
        counts = state.received_counts - net_counts
        if counts >= counts_per_wh:
            wh = state.received_wh + counts // counts_per_wh
            counts %= counts_per_wh
            if wh >= ROLL_WH:
                wh -= ROLL_WH
            state.received_wh = wh
        state.received_counts = counts


def add(state: "State", other: "State", model: "Model") -> None:
    """Add the energy of `other`, and the pulse edges and counts that were given for it, to `state`. May take heap."""
    counts = state.delivered_counts + other.delivered_counts
    wh = state.delivered_wh + other.delivered_wh + counts // model.counts_per_wh
    state.delivered_counts = counts % model.counts_per_wh
    state.rolls += other.rolls + wh // ROLL_WH
    state.delivered_wh = wh % ROLL_WH
    counts = state.received_counts + other.received_counts
    wh = state.received_wh + other.received_wh + counts // model.counts_per_wh
    state.received_counts = counts % model.counts_per_wh
    state.received_wh = wh % ROLL_WH
    state.edges_10 = (state.edges_10 + other.edges_10) % (ROLL_WH // 10)
    state.edges_100 = (state.edges_100 + other.edges_100) % (ROLL_WH // 100)
    state.edges_1000 = (state.edges_1000 + other.edges_1000) % (ROLL_WH // 1000)
    state.counter_given = (state.counter_given + other.counter_given) % (ROLL_WH // model.counter_wh)


def wh_text(wh: int, counts: int, counts_per_wh: int) -> str:
    """Energy as text in Wh with six decimal places, the rest cut off, for instance `1234.031250`. Takes heap, so it is
    not for the cycle."""
    return "%d.%06d" % (wh, counts * 1_000_000 // counts_per_wh)
