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

ensure_environment() {
    directory=$1 lock=$2
    # The copy of the lock file is put there last: where it is the same, the environment is complete.
    cmp -s "$lock" "$directory/installed.lock" && return
    python=$(find_python) || exit $?
    echo "brqos: setting up $directory (once) ..." >&2
    fresh="$directory.new.$$"
    trap 'rm -rf "$fresh"' EXIT INT TERM
    if ! "$python" -m venv "$fresh" >"$fresh.log" 2>&1; then
        cat "$fresh.log" >&2
        rm -f "$fresh.log"
        echo "error: Python could not make a virtual environment" >&2
        echo "  Debian and Ubuntu keep that part in a package of its own: apt-get install python3-venv" >&2
        exit 4
    fi
    if ! "$fresh/bin/python" -m pip install --quiet --disable-pip-version-check --no-input --require-hashes \
        --only-binary :all: -r "$lock" >"$fresh.log" 2>&1; then
        cat "$fresh.log" >&2
        rm -f "$fresh.log"
        echo "error: the locked packages could not be installed" >&2
        echo "  Is the package index reachable? pip's own settings (PIP_INDEX_URL, PIP_PROXY) are honoured." >&2
        exit 4
    fi
    rm -f "$fresh.log"
    # One line in a .pth file makes the checkout importable: no build, and every edit counts at once.
    site=$("$fresh/bin/python" -c 'import sysconfig; print(sysconfig.get_path("purelib"))')
    printf '%s\n' "$root/builder" >"$site/brqos.pth"
    cp "$lock" "$fresh/installed.lock"
    rm -rf "$directory"
    mv "$fresh" "$directory"
    trap - EXIT INT TERM
}
