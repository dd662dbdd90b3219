#!/bin/sh
# Expected: in the table with a column for each channel, the quality beside a row is that of its values
# Seen: there is one quality column, and it is that of the first channel by name (B1 before E1)
# Matters: measured consumption is shown as substituted where only the export was, and the other way round
# Source: AEMO, Meter Data File Format, QualityMethod; nemreader of the pinned version
# Versions: nemreader==0.9.2, pandas==3.1.1
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m pip install --quiet --disable-pip-version-check --no-warn-script-location --target "$folder/lib" nemreader==0.9.2 pandas==3.1.1 2>/dev/null
cat >"$folder/show.py" <<'PYTHON'
def day(date, value, quality, updated):
    return f"300,{date}," + ",".join([value] * 48) + f",{quality},,,{updated},\n"

def channel(suffix, unit):
    return f"200,NMI0000001,E1B1,,{suffix},N1,METER1,{unit},30,\n"

def write(*records):
    with open("a.csv", "w") as f:
        f.write("100,NEM12,202501031200,MDP1,RETAILER\n" + "".join(records) + "900\n")

from nemreader import NEMFile

for e1, b1 in (("A", "S52"), ("S52", "A")):
    write(
        channel("E1", "kWh") + day("20250101", "0.5", e1, "20250102000000"),
        channel("B1", "kWh") + day("20250101", "0.1", b1, "20250102000000"),
    )
    table = NEMFile("a.csv").get_pivot_data_frame()
    print(f"E1 is {e1}, B1 is {b1}: the table says", sorted(set(table["quality"])))
PYTHON
cd "$folder"
PYTHONPATH="$folder/lib" python3 show.py >seen.txt
cat seen.txt
cat >was.txt <<'TEXT'
E1 is A, B1 is S52: the table says ['S52']
E1 is S52, B1 is A: the table says ['A']
TEXT
cmp seen.txt was.txt
