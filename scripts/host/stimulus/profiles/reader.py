"""A file of a load profile as the input of a run: which format it is, read, cut to what was asked for."""

from types import ModuleType

from host.cli.refused import RefusedError, read_bytes
from host.stimulus.profiles import channel, clock, energy_dashboard, green_button, nem12, profile, table
from host.stimulus.profiles.profile import Options, Profile, ProfileError
from host.stimulus.source import Source
from openkh.model import Model

READERS: tuple[ModuleType, ...] = (green_button, nem12, channel, energy_dashboard, table)
HEAD_CHARACTERS = 4096


def source(path: str, options: Options, model: Model) -> Source:
    """The input that the file of a load profile makes. RefusedError where it cannot."""
    text = decoded(read_bytes(path, "load profile"))
    try:
        return profile.source(model, read(text, options), f"load profile {path}")
    except ProfileError as e:
        said = str(e)
        joint = ":" if said[:1].isdigit() and ": " in said[:12] else ": "
        raise RefusedError(f"load profile {path}{joint}{said}") from None


def decoded(data: bytes) -> str:
    """The text, in whatever code page: only names can be concerned."""
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return data.decode("utf-16", "replace")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("latin-1")


def read(text: str, options: Options) -> Profile:
    """The profile in a text, by its content. ProfileError where it is none."""
    head = text[:HEAD_CHARACTERS]
    found: Profile = next(reader for reader in READERS if reader.matches(head)).read(text, options)
    if options.scale != 1.0:
        found.spans = [s._replace(watts=tuple(w * options.scale for w in s.watts)) for s in found.spans]
        found.notes.append(f"scaled by {options.scale:g}")
    if options.begin is None and options.end is None:
        return found
    begin_us, end_us = 0, found.end_us
    if options.begin is not None:
        begin_us = clock.bound(options.begin, "--from", found)
    if options.end is not None:
        end_us = clock.bound(options.end, "--to", found)
    part = found.cut(max(0, begin_us), end_us)
    if not part.spans:
        first, last = (found.clock(t) for t in (found.spans[0].start_us, found.end_us))
        raise ProfileError(f"nothing flows between --from and --to; the file goes from {first} to {last}")
    return part
