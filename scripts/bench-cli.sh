#!/bin/bash
# Times whole runs of short commands, beside Terraform's where it is installed. Prints medians of
# wall-clock milliseconds, and `ratio NAME VALUE` lines: Terraform's time divided by ours.
# usage: scripts/bench-cli.sh DIRECTORY-OF-THE-PROGRAMS
set -euo pipefail

programs=$(cd "$1" && pwd)
cd "$(dirname "$0")/.."
exec python3 - "$programs/mlinfra" examples/quickstart <<'PYTHON'
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

mlinfra, quickstart = sys.argv[1:]
RUNS = 21


def median_ms(*commands):
    """Medians of the commands' times, run in turn so that a change of the machine's speed hits all."""
    times = [[] for _ in commands]
    for run in range(RUNS + 2):
        for command, found in zip(commands, times):
            start = time.perf_counter()
            subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=ENV)
            if run >= 2:
                found.append((time.perf_counter() - start) * 1000)
    return [statistics.median(found) for found in times]


ENV = dict(os.environ, CHECKPOINT_DISABLE="1", TF_CLI_CONFIG_FILE=os.devnull)
[validate] = median_ms([mlinfra, f"-chdir={quickstart}", "validate"])
print(f"mlinfra validate, quickstart: {validate:.1f} ms")

terraform = shutil.which("terraform")
if not terraform:
    [version] = median_ms([mlinfra, "version"])
    print(f"mlinfra version: {version:.1f} ms")
    sys.exit("terraform is not installed, so there is no ratio")
ours, theirs = median_ms([mlinfra, "version"], [terraform, "version"])
print(f"version: mlinfra {ours:.1f} ms, terraform {theirs:.1f} ms")
print(f"ratio version {theirs / ours:.1f}")
with tempfile.TemporaryDirectory() as folder:
    with open(os.path.join(folder, "main.tf"), "w") as file:
        for i in range(100):
            file.write(f'resource "terraform_data" "r{i}" {{\n  input = "value ${{{i} + 1}}"\n}}\n')
    subprocess.run([terraform, f"-chdir={folder}", "init"], check=True, stdout=subprocess.DEVNULL, env=ENV)
    ours, theirs = median_ms([mlinfra, f"-chdir={folder}", "validate"], [terraform, f"-chdir={folder}", "validate"])
print(f"validate, 100 resources: mlinfra {ours:.1f} ms, terraform {theirs:.1f} ms")
print(f"ratio validate_100 {theirs / ours:.1f}")
PYTHON
