#!/bin/sh
# SunSpec: a meter that has imported nothing yet looks to pysunspec2 like one that cannot measure it
#
# Versions: pysunspec2==1.3.7
# Expected: TotWhImp of model 201 is mandatory and an accumulator; on a new meter it is 0 Wh, and a reader gets 0.
# Seen: both `value` and `cvalue` are None, as for a point that is not implemented: the standard's "not accumulated" value
#   of acc32 is 0, and the model's definition says nothing of a total that has not begun. A scale factor of 0x8000 beside a
#   number gives the raw number, without a word.
# Matters: a dashboard or a billing job that begins with a new meter gets no first reading, and the first difference is
#   missing or becomes the whole register. Take the number from the model's registers, or treat None of a mandatory total as 0.
# Source: SunSpec Device Information Model Specification 1.1, data types acc16, acc32, acc64; model_201.json of pysunspec2.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check pysunspec2==1.3.7 2>"$folder/pip" || { cat "$folder/pip"; exit 1; }
cat >"$folder/try.py" <<'PY'
import struct
import sunspec2.device as device

def model(imported, scale):
    words = [201, 105] + [0x8000] * 105
    words[2 + 16 - 2 + 2] = 0  # W
    data = bytearray(struct.pack(">107H", *words))
    m = device.Model(201, data=bytes(data))
    at = 2 * m.TotWhImp.offset
    struct.pack_into(">I", data, at, imported)
    struct.pack_into(">h", data, 2 * m.TotWh_SF.offset, scale)
    return device.Model(201, data=bytes(data))

for imported, scale in ((0, 0), (1, 0), (1, 3), (1, -0x8000)):
    m = model(imported, scale)
    print(imported, scale, "->", m.TotWhImp.value, m.TotWhImp.cvalue)
PY
seen=$("$folder/venv/bin/python" "$folder/try.py" 2>&1)
echo "$seen"
[ "$seen" = "0 0 -> None None
1 0 -> 1 1
1 3 -> 1 1000.0
1 -32768 -> 1 1" ]
