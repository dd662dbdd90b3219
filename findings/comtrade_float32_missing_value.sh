#!/bin/sh
# Expected: a FLOAT32 sample that is marked as missing (the largest negative float, 0xFF7FFFFF, C37.111-2013) is read as NaN, as the marks of the other data types are
# Seen: it is read as -3.4e38: the package compares with sys.float_info.min, the smallest positive double
# Matters: one lost sample in a recording makes rms, power and energy of the whole channel meaningless, without a word
# Source: comtrade.py, class _Float32DatReader, of the pinned version
# Versions: comtrade==0.2.0
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m pip install --quiet --disable-pip-version-check --no-warn-script-location --target "$folder/lib" comtrade==0.2.0 2>/dev/null
cat >"$folder/show.py" <<'PYTHON'
import struct

from comtrade import Comtrade

CFG = """S,D,2013
1,1A,0D
1,VA,A,,V,1,0,0,-200,200,1,1,P
60
1
2000,4
01/01/2025,00:00:00.000000
01/01/2025,00:00:00.000000
{}
1
0,0
0,0
"""
for form, layout, mark in (("BINARY32", "<IIi", -(2**31)), ("FLOAT32", "<IIf", -3.4028234663852886e38)):
    with open("a.cfg", "w") as f:
        f.write(CFG.format(form))
    with open("a.dat", "wb") as f:
        for n, value in enumerate((100, 100, mark, 100)):
            f.write(struct.pack(layout, n + 1, 500 * n, value))
    record = Comtrade(use_double_precision=True)
    record.load("a.cfg")
    print(form, list(record.analog[0]))
PYTHON
cd "$folder"
PYTHONPATH="$folder/lib" python3 show.py >seen.txt
cat seen.txt
cat >was.txt <<'TEXT'
BINARY32 [100.0, 100.0, nan, 100.0]
FLOAT32 [100.0, 100.0, -3.4028234663852886e+38, 100.0]
TEXT
cmp seen.txt was.txt
