"""brqos's own files by one digest: two installations of the same code have the same, however they were installed."""

import hashlib
from functools import cache
from pathlib import Path

from brqos import resources

# In a wheel the packaged data lies inside the package, in a checkout beside it (brqos.resources).
_DATA = ("templates", "variants")
_CODE = {".py", ".typed", ".toml", ".json", ".html", ".yml", ".yaml", ".txt"}


@cache
def own_digest() -> str:
    """The SHA-256 over name and SHA-256 of every file of the package and of its data, in the order of the names."""
    package = Path(resources.__file__).resolve().parent
    files = {f"brqos/{path.relative_to(package).as_posix()}": path for path in package.rglob("*") if _is_code(path)}
    files = {name: path for name, path in files.items() if name.split("/")[1] not in _DATA}
    for folder in _DATA:
        place = resources.data_directory(folder)
        files |= {f"{folder}/{path.relative_to(place).as_posix()}": path for path in place.rglob("*") if path.is_file()}
    lines = (f"{hashlib.sha256(files[name].read_bytes()).hexdigest()}  {name}\n" for name in sorted(files))
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def _is_code(path: Path) -> bool:
    return path.is_file() and path.suffix in _CODE and "__pycache__" not in path.parts
