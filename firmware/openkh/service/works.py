"""The prompt's commands by which the meter does something other than measure."""

import board
from machine import Timer

from openkh import event_codes
from openkh.identity import Identity, check
from openkh.model import Model
from openkh.outputs.pulses import FINE_LOAD_TOO_HIGH, FINE_LONGEST_S
from openkh.service.refused import RefusedError
from openkh.service.requests import FinePulses, Leave, Rail12Reset, Store, post
from openkh.startup import restart as restarts

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from openkh.meter import Meter

    Answer = dict[str, Any]

_STORE_MS = 30_000  # how long storing may take
_TELL_EACH = 20  # after so many blocks of flash it is told how far the layout has come
_ANSWER_MS = 500  # between answer and restart, so that the answer gets out


def provision(meter: "Meter", model: str, service: str, serial: str, date: str) -> "Answer":
    """Write factory data, on blank memory (CA-4) or where they are damaged. In the second case only as the same model,
    because the register in the memory is this model's."""
    check(date, serial)
    Model(model, service)
    count = 1
    if meter.factory.unread:
        raise RefusedError("the memory does not answer, so it is not known what is in it: allowed when it answers")
    if meter.factory.damaged:
        if meter.factory.provisioned and (model, service) != (meter.model.code, meter.model.service):
            raise RefusedError(
                "%s %s: the register in this memory is that of %s %s: allowed only that"
                % (model, service, meter.model.code, meter.model.service)
            )
        from openkh.service.reports import log_entries

        for entry in log_entries(meter):
            if entry[2] == event_codes.IDENTITY:
                count = max(count, entry[3] + 1)
    elif meter.factory.provisioned:
        raise RefusedError("factory data are there already: allowed on blank memory only")
    elif board.MEMORY == "flash" and not meter.memory.factory.slots:
        _create_blocks()
        post(Leave(meter, restarts.PROVISIONED))
        return {
            "ok": True,
            "provisioned": False,
            "text": "the flash is laid out; the meter restarts. NOT PROVISIONED YET: give provision(...) again then",
        }
    data = Identity(date, serial, model, service, count).pack()
    post(Store(meter, meter.factory_vault, data, event_codes.IDENTITY, count, 0), _STORE_MS)
    try:
        post(Leave(meter, restarts.PROVISIONED))
    except RefusedError:
        pass  # the seal was closed meanwhile, which restarts the meter as well; the data are stored (CA-3a)
    return {
        "ok": True,
        "provisioned": True,
        "text": "provisioned as %s %s serial %s; the meter restarts" % (model, service, serial),
    }


def _create_blocks() -> None:
    """Lay out the flash. Takes up to half a minute, in which the meter goes on metering. What a power cut or Ctrl-C has
    left unfinished is done anew by the next call."""
    import os

    import rp2

    from openkh.drivers import flash
    from openkh.service.commands import say
    from openkh.storage.layout import FLASH_BLOCKS

    made = 0

    def opened(path: str, mode: str) -> "Any":
        nonlocal made
        if mode == "wb":
            made += 1
            if made % _TELL_EACH == 0:
                say("  %d of %d" % (made, FLASH_BLOCKS))
        return open(path, mode)

    say("laying out the flash once, %d blocks: up to half a minute; metering goes on" % FLASH_BLOCKS)
    if len(flash.create(rp2.Flash(), FLASH_BLOCKS, opened, os.mkdir, os.urandom)) != FLASH_BLOCKS:
        raise RefusedError("the flash could not be laid out: allowed again; is its filesystem full?")


def fine_pulses(meter: "Meter", weight: float, seconds: int) -> "Answer":
    """See help()."""
    weights = {0: 0, 1: 1000, 0.1: 100}
    if weight not in weights:
        raise RefusedError("weight %r: allowed 1 or 0.1 Wh, 0 ends it" % (weight,))
    if not isinstance(seconds, int) or not 0 < seconds <= FINE_LONGEST_S:
        raise RefusedError("%r seconds: allowed 1 to %d" % (seconds, FINE_LONGEST_S))
    request = FinePulses(meter, weights[weight], seconds)
    post(request)
    if request.result == FINE_LOAD_TOO_HIGH:
        raise RefusedError("the load is too high: allowed up to 55 kW at 1 Wh, 5 kW at 0.1 Wh")
    if not weight:
        return {"ok": True, "text": "fine pulses ended"}
    return {"ok": True, "text": "10 Wh output gives %s Wh a pulse for %d s" % (weight, seconds)}


def rail12_reset(meter: "Meter") -> "Answer":
    """See help()."""
    post(Rail12Reset(meter))
    return {"ok": True, "text": "12 V %s" % meter.rail12.name()}


def restart(meter: "Meter | None") -> "Answer":
    """See help()."""
    if meter is None:
        Timer(-1).init(mode=Timer.ONE_SHOT, period=_ANSWER_MS, callback=_restart)
    else:
        post(Leave(meter, restarts.COMMAND))
    return {"ok": True, "text": "the meter restarts"}


def _restart(_timer: object) -> None:
    restarts.ask(restarts.COMMAND)


def update_mode(meter: "Meter") -> "Answer":
    """See help()."""
    post(Leave(meter, restarts.SERVICE))
    return {"ok": True, "text": "the meter saves and restarts without metering"}
