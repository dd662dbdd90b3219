#!/bin/sh
# Expected: all interval blocks of an entry are read, and a block that comes in two entries of a feed counts once
# Seen: of several blocks in one entry only the first is read; the same block in two entries counts twice
# Matters: utilities pack a block for each day into one entry, and downloads overlap: energy is missing or double, without a word
# Source: NAESB REQ.21 ESPI (an entry's content holds one or more IntervalBlock); greenbutton_objects of the pinned version
# Versions: greenbutton_objects==2024.7.11
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m pip install --quiet --disable-pip-version-check --no-warn-script-location --target "$folder/lib" greenbutton_objects==2024.7.11 2>/dev/null
cat >"$folder/show.py" <<'PYTHON'
from greenbutton_objects.parse import parse_feed

POINT, READING = "/espi/UsagePoint/1", "/espi/UsagePoint/1/MeterReading/1"

def block(start, values):
    rows = "".join(
        "<e:IntervalReading><e:timePeriod><e:duration>3600</e:duration>"
        f"<e:start>{start + 3600 * n}</e:start></e:timePeriod><e:value>{v}</e:value></e:IntervalReading>"
        for n, v in enumerate(values)
    )
    return f"<e:IntervalBlock><e:interval><e:duration>7200</e:duration><e:start>{start}</e:start></e:interval>{rows}</e:IntervalBlock>"

def entry(own, up, related, content):
    links = f'<link rel="self" href="{own}"/><link rel="up" href="{up}"/>'
    links += "".join(f'<link rel="related" href="{href}"/>' for href in related)
    return f"<entry>{links}<title>x</title><content>{content}</content></entry>"

def total(blocks):
    kind = "<e:ReadingType><e:flowDirection>1</e:flowDirection><e:powerOfTenMultiplier>0</e:powerOfTenMultiplier><e:uom>72</e:uom></e:ReadingType>"
    service = "<e:UsagePoint><e:ServiceCategory><e:kind>0</e:kind></e:ServiceCategory></e:UsagePoint>"
    parts = [
        entry(POINT, "/espi/UsagePoint", [POINT + "/MeterReading"], service),
        entry(READING, POINT + "/MeterReading", [READING + "/IntervalBlock", "/espi/ReadingType/1"], "<e:MeterReading/>"),
        entry("/espi/ReadingType/1", "/espi/ReadingType", [], kind),
    ]
    for n, content in enumerate(blocks, 1):
        parts.append(entry(f"{READING}/IntervalBlock/{n}", READING + "/IntervalBlock", [], content))
    with open("a.xml", "w") as f:
        f.write('<feed xmlns="http://www.w3.org/2005/Atom" xmlns:e="http://naesb.org/espi">' + "".join(parts) + "</feed>")
    (reading,) = parse_feed("a.xml")[0].meterReadings
    return sum(r.value for r in reading.intervalReadings)

first, second = block(1735689600, [100, 100]), block(1735696800, [100, 100])
print("two blocks of 200 Wh in one entry:", total([first + second]), "Wh")
print("the same two in an entry each:", total([first, second]), "Wh")
print("one block of 200 Wh in two entries:", total([first, first]), "Wh")
PYTHON
cd "$folder"
PYTHONPATH="$folder/lib" python3 show.py >seen.txt
cat seen.txt
cat >was.txt <<'TEXT'
two blocks of 200 Wh in one entry: 200 Wh
the same two in an entry each: 400 Wh
one block of 200 Wh in two entries: 400 Wh
TEXT
cmp seen.txt was.txt
