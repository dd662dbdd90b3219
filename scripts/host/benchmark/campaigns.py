"""The larger campaigns as ./scripts/bench has them: what each is called, and how it is started."""

import argparse
import importlib
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from host.cli.refused import FailedError
from host.sim.link import TOP

if TYPE_CHECKING:
    from host.campaigns.spread.spread import Spread

Row = tuple[str, Any, str]


@dataclass(frozen=True)
class Sized:
    """A campaign of any size. `rows`: module below host.campaigns and function; `spread`: this takes a Spread first."""

    option: str
    help: str
    rows: str
    spread: bool = True

    def start(self, size: int, cluster: str | None, workers: int | None) -> list[Row]:
        """Run it; a broken bound ends it with a FailedError or an exception of its own."""
        if not self.spread:
            return self._function()(size)
        return spread_out(lambda spread: self._function()(spread, size), cluster, workers)

    def _function(self) -> Callable[..., list[Row]]:
        module, _, name = self.rows.rpartition(".")
        return getattr(importlib.import_module(f"host.campaigns.{module}"), name)


SIZED = (
    Sized("power-cuts", "cut the power N times during journal writes", "power_cuts.rows"),
    Sized("power-cycles", "switch the whole meter off and on N times", "power_cycles.campaign"),
    Sized("output-days", "run the whole meter for N simulated days of random load", "output_days.rows"),
    Sized("accuracy", "calibrate and verify N random boards", "accuracy.boards.rows"),
    Sized("accuracy-drift", "N random boards at three temperatures", "accuracy.drift.rows"),
    Sized("correction-cycles", "sum N cycles with corrections in force", "accuracy.correction_sums.rows", False),
    Sized("recordings", "read N random COMTRADE recordings", "inputs.recordings.rows", False),
    Sized("malformed", "read N damaged files of each format", "inputs.malformed.rows", False),
    Sized("ctrl-c", "interrupt the prompt's commands N times", "port_abuse.ctrl_c_rows", False),
    Sized("sealed-port", "type at N sealed meters, from the reset on", "port_abuse.sealed_rows"),
    Sized("port-noise", "send N bursts of noise and requests to RS-485 ports", "remote.noise.rows", False),
    Sized("polled-hours", "poll an RS-485 port each 50 ms for N simulated hours", "remote.polling.rows", False),
    Sized("interval-cuts", "cut the power N times, and add up interval data", "remote.interval_cuts.rows", False),
)


def asked_for(args: argparse.Namespace) -> Iterator[tuple[Sized, int]]:
    """The campaigns that the arguments ask for, and their sizes."""
    for campaign in SIZED:
        size = getattr(args, campaign.option.replace("-", "_"))
        if size is not None:
            yield campaign, size


def chaos(seeds: range, small: bool, cluster: str | None, workers: int | None) -> list[Row]:
    """Random scenarios of the whole meter; each that breaks a rule is told as it comes."""
    from host.campaigns.chaos import campaign

    return spread_out(lambda spread: campaign.campaign(spread, seeds, small), cluster, workers)


def spread_out(job: Callable[["Spread"], list[Row]], cluster: str | None, workers: int | None) -> list[Row]:
    """Run a campaign on all cores, on `workers` of them, or on a cluster. What that needs is installed at first use."""
    if subprocess.run([TOP / "scripts" / "setup", "cluster"], stdin=subprocess.DEVNULL).returncode:
        raise FailedError("campaigns run on dask.distributed, which could not be installed (see above)")
    importlib.invalidate_caches()
    from host.campaigns.spread.spread import Spread

    with Spread(cluster, workers) as spread:
        return job(spread)
