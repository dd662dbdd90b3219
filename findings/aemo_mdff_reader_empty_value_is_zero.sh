#!/bin/sh
# Expected: an interval without a value, which its 400 record marks N (no data), is read as missing
# Seen: it is read as 0.0 kWh, with the day's quality V in place of the N of its 400 record
# Matters: a gap in the data looks like a house that took nothing; averages and bills are too low and nothing tells
# Source: AEMO, Meter Data File Format, 300 and 400 records, quality N and V; aemo-mdff-reader of the pinned version
# Versions: aemo-mdff-reader==2.2.1
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m pip install --quiet --disable-pip-version-check --no-warn-script-location --target "$folder/lib" aemo-mdff-reader==2.2.1 2>/dev/null
cat >"$folder/show.py" <<'PYTHON'
import aemo_mdff_reader

values = ["0.5"] * 48
values[3] = ""
with open("a.csv", "w") as f:
    f.write("100,NEM12,202501031200,MDP1,RETAILER\n200,NMI0000001,E1,,E1,N1,METER1,kWh,30,\n")
    f.write("300,20250101," + ",".join(values) + ",V,,,20250102000000,\n")
    f.write("400,1,3,A,,\n400,4,4,N,,\n400,5,48,A,,\n900\n")
for reading in list(aemo_mdff_reader.parse("a.csv"))[2:5]:
    print(reading.interval_index, reading.value, reading.quality_flag)
PYTHON
cd "$folder"
PYTHONPATH="$folder/lib" python3 show.py >seen.txt
cat seen.txt
cat >was.txt <<'TEXT'
3 0.5 V
4 0.0 V
5 0.5 V
TEXT
cmp seen.txt was.txt
