#!/usr/bin/env bash
# Makes what the CUDA build needs to be linked without LLVM, and prints cargo's options for it, one a line.
#
#   benches/without_llvm.sh FOLDER
#
# burn's CUDA backend holds two compilers. Ours writes CUDA C++ for NVRTC (`cubecl/cuda-cpp`); the other is LLVM, which its
# build scripts download. `DOCS_RS=1` makes them leave that. What the linker then misses are the functions of LLVM that the
# crates `llvm-sys` and `cubecl-llvm` declare: here each becomes one that names itself and aborts, in a library that takes the
# place of what the build script of `llvm-sys` says.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
folder=$(mkdir -p "$1" && cd "$1" && pwd)

metadata=$(cargo metadata --format-version 1 --locked --manifest-path "$root/Cargo.toml" --features cuda)

# package NAME: its folder.
package() {
    sed -n "s|.*\"manifest_path\":\"\([^\"]*/$1-[0-9][^/\"]*\)/Cargo.toml\".*|\1|p" <<<"$metadata"
}

# Every function in a block `extern "C" { … }`.
declared() {
    find "$@" -name '*.rs' -exec awk '
        /^(unsafe )?extern "C" \{/ { inside = 1 }
        /^\}/ { inside = 0 }
        inside && match($0, /fn [A-Za-z0-9_]+/) { print substr($0, RSTART + 3, RLENGTH - 3) }' {} +
}

mapfile -t names < <(declared "$(package llvm-sys)/src" "$(package cubecl-llvm)/src" | sort -u)
[ "${#names[@]}" -gt 1000 ] || {
    echo "without_llvm.sh: found ${#names[@]} functions of LLVM where more than 1000 are declared" >&2
    exit 1
}
{
    printf '#include <stdio.h>\n#include <stdlib.h>\n'
    printf 'static void absent(const char *name) { fprintf(stderr, "built without LLVM: %%s\\n", name); abort(); }\n'
    printf 'void %s(void) { absent(__func__); }\n' "${names[@]}"
} >"$folder/without_llvm.c"
"${CC:-cc}" -O1 -fPIC -c "$folder/without_llvm.c" -o "$folder/without_llvm.o"
ar rcs "$folder/libwithout_llvm.a" "$folder/without_llvm.o"

host=$(rustc -vV | sed -n 's/^host: //p')
links=$(sed -n 's/^links = "\(.*\)"/\1/p' "$(package llvm-sys)/Cargo.toml")
printf '%s\n' --config "target.$host.$links.rustc-link-lib=[\"static=without_llvm\"]" \
    --config "target.$host.$links.rustc-link-search=[\"$folder\"]"
