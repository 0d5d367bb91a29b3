#!/bin/sh
# Puts libonnxruntime.so, which the inference runtime loads, into the user's cache. Does nothing when it is there.
#
# The library comes out of the onnxruntime wheel of the version below; pip verifies the download. The move into place
# is atomic, so an interrupted run leaves nothing half-written. Prints the library's path.
set -eu

version=${ONNXRUNTIME_VERSION:-1.24.4}
cache=${XDG_CACHE_HOME:-$HOME/.cache}/mlinfra
library=$cache/libonnxruntime.so
stamp=$cache/libonnxruntime.version

if [ -f "$library" ] && [ "$(cat "$stamp" 2>/dev/null)" = "$version" ]; then
    echo "$library"
    exit 0
fi

mkdir -p "$cache"
work=$(mktemp -d "$cache/.onnxruntime-XXXXXX")
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM

# A machine may have Python with venv and without pip; a virtual environment brings its own.
python=python3
if ! python3 -m pip --version >/dev/null 2>&1; then
    python3 -m venv "$work/venv"
    python=$work/venv/bin/python
fi
"$python" -m pip download --quiet --disable-pip-version-check --only-binary=:all: --no-deps \
    --dest "$work" "onnxruntime==$version"
python3 - "$work" <<'PYTHON'
import pathlib
import shutil
import sys
import zipfile

work = pathlib.Path(sys.argv[1])
[wheel] = work.glob("onnxruntime-*.whl")
with zipfile.ZipFile(wheel) as archive:
    names = [n for n in archive.namelist() if n.startswith("onnxruntime/capi/libonnxruntime.so.")]
    if len(names) != 1:
        sys.exit(f"{wheel.name} should hold one libonnxruntime.so, but holds: {names}")
    with archive.open(names[0]) as source, open(work / "library", "wb") as target:
        shutil.copyfileobj(source, target)
PYTHON
chmod 0644 "$work/library"
# The library first, its version after: an interruption in between only means that it is fetched again.
mv "$work/library" "$library"
printf '%s\n' "$version" >"$work/version"
mv "$work/version" "$stamp"
echo "$library"
