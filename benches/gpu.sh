#!/usr/bin/env bash
# What a CUDA card is for here, within so many seconds: the nets' tests, the published AnoGAN, Mask R-CNN on R50-FPN at the
# published size for as many iterations as fit, and speeds beside PyTorch.
#
#   benches/gpu.sh BUDGET_S     on a machine with a card; builds first, which the budget leaves out
#   benches/gpu.sh build        builds alone, with or without a card: the folder below may then go to a machine with one
#   benches/gpu.sh BUDGET_S     without a card: prints every command, checks what they name, and type-checks
#
# Everything lies in `gpu/` of cargo's target folder (GPU_FOLDER names another): programs, logs, how far it came, and a
# project with records and reports. Called again it goes on where it stopped; `rm -r` that folder to begin anew.
#
#   DEVICE        cuda:N, by default cuda:0
#   PYTHON        the one with torch and torchvision, by default python3
#   GPU_LLVM      `none` links without LLVM (benches/without_llvm.sh), `bundle` downloads it; by default none
#   GPU_CHECK     `skip` leaves out the type check where there is no card
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

device=${DEVICE:-cuda:0}
python=${PYTHON:-python3}
target=${CARGO_TARGET_DIR:-$PWD/target}
mkdir -p "${GPU_FOLDER:-$target/gpu}"
out=$(cd "${GPU_FOLDER:-$target/gpu}" && pwd)
bin=$out/bin project=$out/project logs=$out/logs done_list=$out/done.tsv
anogan=experiments/anogan/published.yaml
detector=experiments/mask-rcnn/published.yaml
programs=(retrial nets-tests anogan_speed mask_rcnn_speed)
first_iterations=20 # Those that $detector says.

fail() {
    printf 'gpu.sh: %s\n' "$@" >&2
    exit 2
}

case $# in
    1) ;;
    *) fail "one argument is needed: seconds on the card, or \`build\`; right would be: benches/gpu.sh 600" ;;
esac
case $1 in
    build) budget= ;;
    '' | *[!0-9]*) fail "\`$1\` is no number of whole seconds, nor \`build\`; right would be: benches/gpu.sh 600" ;;
    *) budget=$((10#$1)) ;;
esac
[ -z "$budget" ] || [ "$budget" -ge 60 ] || fail "$budget s are too few for any step; give 60 or more"

# ---- what is run

# cargo_options: an array with what cargo is given; makes the library where LLVM stays out.
cargo_options() {
    options=(--release --features cuda)
    case ${GPU_LLVM:-none} in
        none)
            local text
            text=$(benches/without_llvm.sh "$out/without-llvm")
            mapfile -t text <<<"$text"
            options+=("${text[@]}")
            export DOCS_RS=1
            ;;
        bundle) ;;
        *) fail "GPU_LLVM is \`$GPU_LLVM\`; right would be none or bundle" ;;
    esac
}

build() {
    local options tests program
    for program in "${programs[@]}"; do
        [ -x "$bin/$program" ] || break
        [ "$program" != "${programs[-1]}" ] || return 0
    done
    cargo_options
    mkdir -p "$bin"
    cargo build "${options[@]}" --package retrial --package retrial-nets --bins --examples
    tests=$(cargo test "${options[@]}" --package retrial-nets --lib --no-run 2>&1 | tee /dev/stderr |
        sed -n 's/^ *Executable unittests src\/lib.rs (\(.*\))$/\1/p')
    cp "$tests" "$bin/nets-tests"
    cp "$target/release/retrial" "$target/release/examples/anogan_speed" \
        "$target/release/examples/mask_rcnn_speed" "$bin"
}

# A project of its own: the records of a card are not those that the committed sheets plan.
make_project() {
    mkdir -p "$project" "$logs"
    ln -sfn "$PWD/experiments" "$project/experiments"
    ln -sfn "$PWD/datasets" "$project/datasets"
    touch "$done_list"
}

retrial() {
    command=("$bin/retrial" --root "$project" "$@" --device "$device")
}

# command_of NAME: sets `command`.
command_of() {
    case $1 in
        doctor) retrial doctor ;;
        tests)
            command=(env "RETRIAL_TEST_DEVICE=$device" "$bin/nets-tests" --test-threads 1)
            [ -z "${RETRIAL_MIRROR:-}" ] || command+=(--include-ignored)
            ;;
        anogan-speed) command=("$bin/anogan_speed" 64 128 16 "$device") ;;
        anogan-speed-pytorch)
            command=("$python" benches/peers/anogan_pytorch.py 64 128 16 --device "$device")
            ;;
        detector-speed) command=("$bin/mask_rcnn_speed" all "$device") ;;
        detector-speed-torchvision)
            command=("$python" benches/peers/maskrcnn_torchvision.py all "$device")
            ;;
        detector-"$first_iterations") retrial run "$project/$detector" ;;
        detector-*) retrial run "$project/$detector" --set "params.iterations=${1#detector-}" ;;
        anogan) retrial run "$project/$anogan" ;;
    esac
}

# ---- with a card

# measured NAME: the seconds that a step took which is done, or nothing.
measured() {
    awk -F '\t' -v name="$1" '$1 == name { print $2 }' "$done_list"
}

# ended NAME: how that step ended.
ended() {
    awk -F '\t' -v name="$1" '$1 == name { print $3 }' "$done_list"
}

left() {
    echo $((budget - SECONDS + started))
}

rows=() failed=0
row() {
    rows+=("$(printf '%-28s %8s  %-24s %s' "$@")")
}

# step NAME MOST_S: runs it for that long at most, and never beyond the budget.
step() {
    local name=$1 most=$2 begun=$SECONDS status=0 took word=ok log=$logs/$1.log
    took=$(measured "$name")
    if [ -n "$took" ]; then
        word=$(ended "$name")
        [[ $word != FAILED* ]] || failed=1
        row "$name" "$took s" "$word, before" "$log"
        return 0
    fi
    [ "$most" -le "$(left)" ] || most=$(left)
    if [ "$most" -lt 5 ]; then
        row "$name" '' 'no time left' ''
        return 1
    fi
    command_of "$name"
    printf '\n=== %s, %s s at most: %s\n' "$name" "$most" "${command[*]}"
    # Interrupted, `retrial` keeps checkpoints; what does not listen is killed later.
    timeout --signal INT --kill-after 30 "$most" "${command[@]}" 2>&1 | tee "$log" || status=$?
    took=$((SECONDS - begun))
    case $status in
        0) ;;
        101) word='FAILED' ;; # What tests end with; to run them again would tell nothing new.
        124 | 130 | 137) word='stopped: call again' ;;
        *) word="FAILED ($status): call again" ;;
    esac
    [[ $word == *'call again' ]] || printf '%s\t%s\t%s\n' "$name" "$took" "$word" >>"$done_list"
    [[ $word != FAILED* ]] || failed=1
    row "$name" "$took s" "$word" "$log"
    return "$status"
}

# peer NAME MOST_S MODULE...
peer() {
    local name=$1 most=$2
    shift 2
    if "$python" -c "import $(IFS=, && echo "$*")" 2>/dev/null; then
        step "$name" "$most" || :
    else
        printf '\n=== %s: %s cannot import %s; left out\n' "$name" "$python" "$*"
        row "$name" '' "no $*" ''
    fi
}

# As many iterations as fit: each round predicts the next one by its own time, compiling included, so it errs on the safe
# side; the last fills what is left.
detector() {
    local iterations next took
    step "detector-$first_iterations" "$(left)" || return 0
    iterations=$(sed -n 's/^detector-\([0-9]*\)\t.*/\1/p' "$done_list" | sort -n | tail -n 1)
    [ "$iterations" = "$first_iterations" ] || step "detector-$iterations" "$(left)"
    while took=$(measured "detector-$iterations") && [ "${took:-0}" -gt 0 ]; do
        next=$((iterations * $(left) * 9 / took / 10))
        [ "$next" -lt $((4 * iterations)) ] || next=$((4 * iterations))
        # A round that was stopped goes on from its checkpoints.
        if [ -s "$out/detector" ]; then
            next=$(<"$out/detector")
        fi
        [ "$next" -le 200000 ] || next=200000
        [ "$next" -gt "$iterations" ] || break
        echo "$next" >"$out/detector"
        step "detector-$next" "$(left)" || return 0
        : >"$out/detector"
        iterations=$next
    done
}

on_the_card() {
    make_project
    export RAYON_NUM_THREADS=${RAYON_NUM_THREADS:-$(nproc)}
    started=$SECONDS
    step doctor 120 || return 0
    step tests $((budget / 4)) || :
    step anogan-speed $((budget / 10)) || :
    peer anogan-speed-pytorch $((budget / 20)) torch
    step detector-speed $((budget / 10)) || :
    peer detector-speed-torchvision $((budget / 20)) torch torchvision
    # Half of what is left, so that both trainings get on.
    step anogan $(($(left) / 2)) || :
    detector
}

# ---- without a card

# present FILE...
present() {
    local file
    for file; do
        [ -e "$file" ] || {
            printf 'MISSING: %s\n' "$file"
            failed=1
        }
    done
}

dry_run() {
    local name program=${RETRIAL:-$target/release/retrial}
    echo 'no CUDA card here (nvidia-smi -L names none): nothing is run, only checked'
    for name in doctor tests anogan-speed anogan-speed-pytorch detector-speed detector-speed-torchvision anogan \
        "detector-$first_iterations" detector-80; do
        command_of "$name"
        printf '\n%s\n    %s\n' "$name" "${command[*]}"
    done
    printf '\nfiles\n'
    present "$anogan" "$detector" benches/peers/{anogan_pytorch,maskrcnn_torchvision}.py \
        crates/nets/examples/{anogan,mask_rcnn}_speed.rs benches/without_llvm.sh
    grep -q "^  iterations: $first_iterations$" "$detector" || {
        echo "CHANGED: $detector no longer says iterations: $first_iterations"
        failed=1
    }
    if "$python" --version >/dev/null 2>&1; then
        "$python" -m py_compile benches/peers/{anogan_pytorch,maskrcnn_torchvision}.py || failed=1
    fi
    printf '\nplans\n'
    if [ -x "$program" ]; then
        make_project
        for name in "$anogan" "$detector"; do
            "$program" --root "$project" plan "$project/$name" || failed=1
        done
        "$program" --root "$project" plan "$project/$detector" --set params.iterations=80 || failed=1
    else
        echo "NOT BUILT: $program; \`./justw build\` makes it, RETRIAL names another"
        failed=1
    fi
    printf '\ntype check\n'
    if [ "${GPU_CHECK:-}" = skip ]; then
        echo 'left out: GPU_CHECK=skip'
    else
        ./justw cuda-check || failed=1
    fi
    return "$failed"
}

# ----

if [ -z "$budget" ]; then
    build
    printf 'programs: %s\n' "$bin"
elif nvidia-smi -L 2>/dev/null | grep -q '^GPU '; then
    build
    on_the_card
    printf '\n=== %s of %s s\n' "$((SECONDS - started))" "$budget"
    printf '%s\n' "${rows[@]}"
    for name in anogan-speed detector-speed; do
        printf '\n%s, ours, then PyTorch\n' "$name"
        cat "$logs/$name".log "$logs/$name"-*.log 2>/dev/null || :
    done
    printf '\nrecords: %s\nreports: %s\n' "$project/results" "$project/reports"
    exit "$failed"
else
    dry_run
fi
