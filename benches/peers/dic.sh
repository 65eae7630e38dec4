#!/usr/bin/env bash
# Our correlation engine beside those of PyPI: points a CPU second and errors, one thread, one run.
#
#   benches/peers/dic.sh DATA [options of dic_peers.py]
#
# DATA holds the pictures of the DIC Challenge by set (sample03_fft_shift, sample14_varying_strain, …). Needs Python with
# pip and venv, and the built example:
#   cargo build --release --package retrial-dic --example pair_speed
# `VENVS` is where the environments are kept, `OURS` another build of the example, `CORE` another core than 0.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)

data=$(cd "$1" && pwd)
shift
venvs=${VENVS:-$here/../../target/dic-peers}
ours=${OURS:-${CARGO_TARGET_DIR:-$here/../../target}/release/examples/pair_speed}

for name in driver subsetdic al-dic pyvale sun-dic py3dic; do
    packages=$name
    [ "$name" != driver ] || packages='numpy pillow'
    [ "$name" != py3dic ] || packages='numpy opencv-python-headless'
    if [ ! -e "$venvs/$name/.ready" ]; then
        python3 -m venv "$venvs/$name"
        # shellcheck disable=SC2086
        "$venvs/$name/bin/python" -m pip install --quiet $packages
        touch "$venvs/$name/.ready"
    fi
done
for name in subsetdic al-dic pyvale sun-dic; do
    echo "$name $("$venvs/$name/bin/python" -c "import importlib.metadata as m; print(m.version('$name'))")"
done
echo "$(date -u +%F\ %H:%M) UTC, load $(cut -d' ' -f1-3 /proc/loadavg)"
taskset --cpu-list "${CORE:-0}" "$venvs/driver/bin/python" "$here/dic_peers.py" \
    --data "$data" --venvs "$venvs" --binary "$ours" "$@"
