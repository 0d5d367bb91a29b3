#!/bin/bash
# Compares the program with Terraform 1.11's own answers, recorded in tests/conformance.
# usage: scripts/conformance.sh DIRECTORY-OF-THE-PROGRAMS
set -euo pipefail

programs=$(cd "$1" && pwd)
cd "$(dirname "$0")/../tests/conformance"
MLINFRA_COMPAT=terraform python3 check.py --bin "$programs/mlinfra" --dir configs_open --level core
