#!/bin/sh
# Expected: the table of a NEM12 file tells each channel's unit, or has all of them in one
# Seen: channels in kWh and in Wh stand in one column of values as they are in the file, and no column names the unit
# Matters: the same energy to and from the customer appears a thousand times larger in one direction; sums of the column are neither
# Source: AEMO, Meter Data File Format, 200 record (UOM); nemreader of the pinned version
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

write(
    channel("E1", "kWh") + day("20250101", "0.5", "A", "20250102000000"),
    channel("B1", "Wh") + day("20250101", "500", "A", "20250102000000"),
)
table = NEMFile("a.csv").get_data_frame()
print(", ".join(table.columns))
print(table.groupby("suffix")["value"].sum().to_dict())
PYTHON
cd "$folder"
PYTHONPATH="$folder/lib" python3 show.py >seen.txt
cat seen.txt
cat >was.txt <<'TEXT'
nmi, suffix, serno, t_start, t_end, value, quality, evt_code, evt_desc
{'B1': 24000.0, 'E1': 24.0}
TEXT
cmp seen.txt was.txt
