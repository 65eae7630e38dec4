#!/usr/bin/env bash
# Our nets against PyTorch's on one core, in turns in one run: medians of CPU time and of the ratios.
#
#   benches/peers/anogan.sh [ROUNDS] ['WIDTH BATCH SEARCH_BATCH' …]
#
# Needs Python with torch and numpy (`PYTHON`, else python3) and the built example:
#   cargo build --release --package retrial-nets --example anogan_speed
# All get the allocator settings that `retrial` gives its workers (crates/runner/src/execute/schedule.rs).
# `OURS` names another build of the example, `CORE` another core than 0.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)

ours=${OURS:-${CARGO_TARGET_DIR:-$here/../../target}/release/examples/anogan_speed}
python=${PYTHON:-python3}
rounds=${1:-5}
shift || :
[ $# -gt 0 ] || set -- '64 128 16' '64 2 64' '16 128 16'

export RAYON_NUM_THREADS=1 OMP_NUM_THREADS=1 MKL_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1
export MALLOC_MMAP_MAX_=0 MALLOC_TRIM_THRESHOLD_=17179869184
lines=$(mktemp)
trap 'rm -f "$lines"' EXIT
tab=$'\t'

alone() {
    taskset --cpu-list "${CORE:-0}" "$@"
}

# measure NAME WIDTH COMMAND...: lines of round, name, what was done, CPU time and its unit.
measure() {
    local name=$1 width=$2
    shift 2
    alone "$@" |
        sed -E "s/^(.*): ([0-9.]+) CPU ([a-z]+).*/$round$tab$name${tab}width $width, \1$tab\2$tab\3/" |
        tee -a "$lines"
}

for ((round = 1; round <= rounds; round++)); do
    peak=$(alone "$python" "$here/peak.py")
    printf '%s\tpeak\tmatrix product\t%s\tGFLOP per CPU s\n' "$round" "$peak" | tee -a "$lines"
    for setting; do
        read -ra numbers <<<"$setting"
        measure ours "${numbers[0]}" "$ours" "${numbers[@]}"
        for layout in planes channels_last; do
            measure "$layout" "${numbers[0]}" \
                "$python" "$here/anogan_pytorch.py" "${numbers[@]}" --layout "$layout"
        done
    done
done

printf '\nCPU time on one core, medians of %d rounds, each the median of its repetitions.\n' "$rounds"
"$python" - "$lines" <<'PYTHON'
import collections
import statistics
import sys

seen = collections.defaultdict(lambda: collections.defaultdict(list))
for line in open(sys.argv[1], encoding="utf-8"):
    turn, name, what, value, unit = line.rstrip("\n").split("\t")
    seen[what, unit, name][int(turn)].append(float(value))
middle = {key: [statistics.median(turns[t]) for t in sorted(turns)] for key, turns in seen.items()}
for what, unit in dict.fromkeys(key[:2] for key in middle):
    print(f"{what}, {unit}")
    own = middle.get((what, unit, "ours"))
    for (_, _, name), values in ((k, v) for k, v in middle.items() if k[:2] == (what, unit)):
        line = f"    {name:14} {statistics.median(values):9.3f} ({min(values):.3f} to {max(values):.3f})"
        if own and name != "ours":
            # Within a round, so that what else runs on the machine weighs on both.
            ratios = [peer / mine for peer, mine in zip(values, own)]
            line += f"   {statistics.median(ratios):.2f} of ours ({min(ratios):.2f} to {max(ratios):.2f})"
        print(line)
PYTHON
