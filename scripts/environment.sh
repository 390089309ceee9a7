# Sourced by the scripts beside it: makes a virtual environment from a lock file, once.
#
#   ensure_environment DIRECTORY LOCK_FILE
#
# The environment is made under another name and then renamed, so an interrupted set-up leaves nothing that looks done.
# Every download is checked against the hashes in the lock file.

find_python() {
    for candidate in "${PYTHON:-}" python3 python3.14 python3.13 python3.12 python3.11; do
        [ -n "$candidate" ] && command -v "$candidate" >/dev/null 2>&1 || continue
        if "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
            printf '%s\n' "$candidate"
            return
        fi
    done
    echo "error: brqos needs Python 3.11 or newer, and none was found" >&2
    echo "  Install one (Debian 12: apt-get install python3 python3-venv) or name it: PYTHON=/path/to/python3.11" >&2
    exit 4
}

# The last thing that is written: what was installed, and for which checkout (a copy of one is another).
is_complete() {
    cmp -s "$2" "$1/installed.lock" && [ -x "$1/bin/python" ] && read -r made_for <"$1/installed.root" &&
        [ "$made_for" = "$root" ]
}

give_up() {
    cat "$fresh.log" >&2
    printf 'error: %s\n  %s\n' "$1" "$2" >&2
    exit 4
}

ensure_environment() {
    directory=$1 lock=$2
    is_complete "$directory" "$lock" 2>/dev/null && return
    python=$(find_python) || exit $?
    echo "brqos: setting up $directory (once) ..." >&2
    fresh="$directory.new.$$"
    if ! [ -w "$(dirname "$directory")" ]; then
        echo "error: $directory cannot be made: its folder cannot be written to" >&2
        echo "  Copy the checkout to a folder of your own, or make this one writable." >&2
        exit 4
    fi
    trap 'rm -rf "$fresh" "$fresh.log"' EXIT INT TERM
    "$python" -m venv "$fresh" >"$fresh.log" 2>&1 || give_up "Python could not make a virtual environment" \
        "Debian and Ubuntu keep that part in a package of its own: apt-get install python3-venv"
    # The lock is complete; --no-deps, for what pyproject.toml leaves out of it on purpose.
    "$fresh/bin/python" -m pip install --quiet --disable-pip-version-check --no-input --require-hashes --no-deps \
        --only-binary :all: -r "$lock" >"$fresh.log" 2>&1 || give_up "the locked packages could not be installed" \
        "Is the package index reachable? pip's own settings (PIP_INDEX_URL, PIP_PROXY) are honoured."
    # One line in a .pth file makes the checkout importable: no build, and every edit counts at once.
    site=$("$fresh/bin/python" -c 'import sysconfig; print(sysconfig.get_path("purelib"))')
    printf '%s\n' "$root/builder" >"$site/brqos.pth"
    printf '%s\n' "$root" >"$fresh/installed.root"
    cp "$lock" "$fresh/installed.lock"
    # Two first calls at once: whoever is second finds a complete environment, which the first works with already, and
    # throws its own away.
    is_complete "$directory" "$lock" 2>/dev/null || rm -rf "$directory"
    "$python" -c 'import os, sys; os.rename(*sys.argv[1:])' "$fresh" "$directory" 2>/dev/null ||
        is_complete "$directory" "$lock" || give_up "the new environment cannot be put in its place" \
        "Is $directory in use? Remove it and try again."
    rm -rf "$fresh" "$fresh.log"
    trap - EXIT INT TERM
}
