#!/usr/bin/env bash
# Sets up and runs all tests, from nothing but Python 3.10 or newer:  bash tests/run.sh [pytest arguments]
# The virtual environment (about 6 GB, most of it PyTorch) goes to .venv-test, or to $VENV, and is used again.
# With CONSTRAINTS=tests/constraints-oldest.txt and Python 3.10 to 3.12 it tests the oldest supported PyTorch.
# "bash tests/run.sh --version" only sets up.
set -euo pipefail
cd "$(dirname "$0")/.."
venv=${VENV:-.venv-test}
[ -x "$venv/bin/python" ] || "${PYTHON:-python3}" -m venv "$venv"
"$venv/bin/python" -c 'import sys; sys.exit(sys.version_info < (3, 10) and "Python 3.10 or newer is needed")'
"$venv/bin/python" -m pip install --quiet --disable-pip-version-check \
    -r requirements.txt -r tests/requirements.txt -r tests/host/requirements.txt \
    -c "${CONSTRAINTS:-tests/constraints.txt}"
export OMP_NUM_THREADS=${OMP_NUM_THREADS:-1}  # the tensors are small: more threads only wait for each other
exec "$venv/bin/python" -m pytest "$@"
