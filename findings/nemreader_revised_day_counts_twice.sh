#!/bin/sh
# Expected: a day that stands in a NEM12 file twice, as first sent and as revised later (its update time says which), counts once
# Seen: both versions are among the readings: 96 half hours, and their sum is that of both
# Matters: files put together from several months carry revised days; a bill or a replay made of them has the day's energy twice
# Source: AEMO, Meter Data File Format, 300 record (UpdateDateTime); nemreader of the pinned version
# Versions: nemreader==0.9.2
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m pip install --quiet --disable-pip-version-check --no-warn-script-location --target "$folder/lib" nemreader==0.9.2 2>/dev/null
cat >"$folder/show.py" <<'PYTHON'
def day(date, value, quality, updated):
    return f"300,{date}," + ",".join([value] * 48) + f",{quality},,,{updated},\n"

def channel(suffix, unit):
    return f"200,NMI0000001,E1B1,,{suffix},N1,METER1,{unit},30,\n"

def write(*records):
    with open("a.csv", "w") as f:
        f.write("100,NEM12,202501031200,MDP1,RETAILER\n" + "".join(records) + "900\n")

from nemreader import NEMFile

write(channel("E1", "kWh"), day("20250101", "0.5", "A", "20250102000000"), day("20250101", "0.75", "A", "20250103000000"))
readings = NEMFile("a.csv").nem_data().readings["NMI0000001"]["E1"]
print(len(readings), "readings of one day,", sum(r.read_value for r in readings), "kWh")
PYTHON
cd "$folder"
PYTHONPATH="$folder/lib" python3 show.py >seen.txt
cat seen.txt
cat >was.txt <<'TEXT'
96 readings of one day, 60.0 kWh
TEXT
cmp seen.txt was.txt
