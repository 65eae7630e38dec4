# Every command that a person types. `./justw RECIPE` also gets just and cmake where they are
# absent. Whatever follows a recipe goes to the command as it is; a `--` before the first flag is
# allowed: `just run experiments/dic/smoke.yaml -- --set params.step_px=5`.

set positional-arguments

target := env('CARGO_TARGET_DIR', 'target')
retrial := target / 'release' / 'retrial'

# cargo features, such as `cuda` or `wgpu`
features := env('RETRIAL_FEATURES', '')

# List the recipes.
default:
    @just --justfile {{ quote(justfile()) }} --list

# Run experiments: files, or the default ones
[group('experiments')]
[no-exit-message]
run *ARGS: build
    @{{ command }} run "$@"

# Check experiment files without running them
[group('experiments')]
[no-exit-message]
check *ARGS: built
    @{{ command }} check "$@"

# Print the trials of experiments, why each would run, and the cost
[group('experiments')]
[no-exit-message]
plan *ARGS: built
    @{{ command }} plan "$@"

# Say which trials are finished, running, failed
[group('experiments')]
[no-exit-message]
status *ARGS: built
    @{{ command }} status "$@"

# Rebuild the reports from the records
[group('experiments')]
[no-exit-message]
report *ARGS: built
    @{{ command }} report "$@"

# Print the verdict on every published claim
[group('experiments')]
[no-exit-message]
claims *ARGS: built
    @{{ command }} claims "$@"

# Run everything of a study and rebuild its report
[group('experiments')]
[no-exit-message]
reproduce STUDY *ARGS: build
    @{{ command }} reproduce "$@"

# Say what this machine has and lacks
[group('experiments')]
[no-exit-message]
doctor *ARGS: built
    @{{ command }} doctor "$@"

# Run the tests, doc tests included; arguments select tests
[group('development')]
[no-exit-message]
test *ARGS:
    @{{ test }}

# Check formatting and lints
[group('development')]
lint: (fmt '--check') clippy

# Format all Rust files
[group('development')]
fmt *ARGS:
    cargo fmt --all "$@"
    cargo fmt --manifest-path examples/own-study/Cargo.toml "$@"

[private]
clippy:
    cargo clippy --release --workspace --all-targets -- -D warnings

# Check the house rules
[group('development')]
tidy:
    cargo test --release --package retrial-tidy

# Count the files that a metric, a param, a table and an option of a command cost, and compile them
[group('development')]
extension-cost:
    tests/extension/count

# Build, test and run the study outside the workspace, without the network
[group('development')]
own-study:
    cd examples/own-study && { [ Cargo.lock -nt ../../Cargo.lock ] || cp ../../Cargo.lock .; }
    {{ own_cargo }} test --release
    {{ own_cargo }} run --release -- check
    {{ own_cargo }} run --release -- run
    {{ own_cargo }} run --release -- report
    {{ own_cargo }} run --release -- claims

# Measure speed; arguments go to criterion
[group('development')]
bench *ARGS:
    cargo bench --package retrial-benches -- "$@"

# Type-check the CUDA build where its LLVM bundle cannot be downloaded
[group('development')]
cuda-check:
    DOCS_RS=1 CARGO_TARGET_DIR={{ quote(target / 'cuda-check') }} cargo check --package retrial-nets --features cuda

# What the continuous integration runs, from set-up to CUDA check
[group('development')]
ci:
    .ci/run

# Build the program; `run` and `reproduce` do so by themselves
[group('development')]
build:
    @{{ build }}

# Verbs that only read take the program that is there: a build takes the cores of a run that goes
# on, and would show its records by another program than the one that makes them.
[private]
built:
    @{{ built }}

# Time the nets against PyTorch's on one core; needs Python with torch and numpy
[group('development')]
bench-peers *ARGS:
    cargo build --release --workspace --exclude retrial-benches --example anogan_speed
    benches/peers/anogan.sh "$@"

# Cargo reads the settings of the folder it is called in.
own_cargo := 'cd examples/own-study && CARGO_NET_OFFLINE=true CARGO_TARGET_DIR=' + quote(absolute_path(target)) + ' cargo'

# Drops the first `--`, then makes files named from the folder of the caller absolute, because
# recipes run in the root.
command := 'caller=' + quote(invocation_directory()) + '
    separator=
    for argument do
        shift
        if [ -z "$separator" ] && [ "$argument" = -- ]; then
            separator=seen
            continue
        fi
        case $argument in
            -* | /*) ;;
            *) if [ ! -e "$argument" ] && [ -e "$caller/$argument" ]; then
                argument=$caller/$argument
            fi ;;
        esac
        set -- "$@" "$argument"
    done
    exec ' + quote(retrial)

# The time of the file says that it was looked at, also when nothing had to be built.
build := 'cargo build --release ' + (if features == '' { '' } else { '--features ' + quote(features) }) + ' && touch -c ' + quote(retrial)

built := 'if [ ! -x ' + quote(retrial) + ' ]; then
        ' + build + '
    elif [ -n "$(find build.rs src crates studies -name "*.rs" -newer ' + quote(retrial) + ' -print -quit)" ]; then
        echo "note: the program is older than its source; \`./justw build\` builds it" >&2
    fi'

# Doc tests before the others, whose summary is to be the last line, and after what shows how the
# build goes. The benches stay out: what they depend on would compile the heavy libraries a second
# time with other features. With the mirror, ignored tests that need nothing else are taken in; a
# `--` of the caller decides by itself.
test := 'if cargo nextest --version >/dev/null 2>&1; then
        # Clippy sees to the examples.
        runner="nextest run --lib --bins --tests --cargo-profile"
        if [ $# -eq 0 ]; then
            cargo $runner release --workspace --exclude retrial-benches --no-run || exit
            cargo test --release --workspace --exclude retrial-benches --doc --quiet || exit
        fi
    else
        runner="test --profile"
    fi
    case " $* " in
        *" -- "*) ;;
        *) [ -z "${RETRIAL_MIRROR:-}" ] ||
            set -- "$@" -- --include-ignored --skip with_python --skip with_registry ;;
    esac
    exec cargo $runner release --workspace --exclude retrial-benches "$@"'
