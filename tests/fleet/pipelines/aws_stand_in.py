"""`aws`, as far as buildspecs use it: `s3 cp` with a folder for the bucket; whatever else only writes itself down."""

import fnmatch
import os
import shutil
import sys
from pathlib import Path

BUCKET = "s3://bucket/"


def place(word: str) -> Path:
    """The file or folder that a word stands for."""
    inside = word.removeprefix(BUCKET)
    return Path(os.environ["BUCKET_FOLDER"], inside) if inside != word else Path(word)


def copied(source: Path, target: Path) -> None:
    """One object; the folders of its key need not be there."""
    target.parent.mkdir(parents=True, exist_ok=True)
    if str(source) == "-":
        target.write_bytes(sys.stdin.buffer.read())
    else:
        shutil.copyfile(source, target)


def copy(words: list[str]) -> int:
    """The last rule that fits decides, and what fits none is taken (AWS CLI, "Use of Exclude and Include Filters")."""
    rules, names = [], []
    words = [word for word in words if word != "--only-show-errors"]
    recursive = "--recursive" in words
    rest = iter(word for word in words if word != "--recursive")
    for word in rest:
        if word in ("--exclude", "--include"):
            rules.append((word == "--include", next(rest)))
        else:
            names.append(word)
    source, target = map(place, names)
    if not recursive:
        if str(source) != "-" and not source.is_file():
            sys.stderr.write("fatal error: An error occurred (404) when calling the HeadObject operation: Not Found\n")
            return 1
        copied(source, target)
        return 0
    for file in sorted(path for path in source.rglob("*") if path.is_file()):
        key = str(file.relative_to(source))
        verdicts = [take for take, pattern in rules if fnmatch.fnmatch(key, pattern)]
        if not verdicts or verdicts[-1]:
            copied(file, target / key)
    return 0


if __name__ == "__main__":
    with Path(os.environ["CALLS"]).open("a") as calls:
        calls.write(f"aws {os.environ.get('AWS_PROFILE', '')}: {' '.join(sys.argv[1:])}\n")
    sys.exit(copy(sys.argv[3:]) if sys.argv[1:3] == ["s3", "cp"] else 0)
