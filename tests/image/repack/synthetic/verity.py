"""The hash tree, by veritysetup."""

import hashlib
import re
from pathlib import Path

from .model import Verity, guid
from .tools import run


def format_tree(data: Path, tree: Path) -> Verity:
    """Write the tree of `data` to `tree` with upstream's options (twoliter, imghelper, generate_verity_root).

    Salt and UUID, random there, come from the data's name here.
    """
    said = run(
        [
            "veritysetup",
            "format",
            "--format=1",
            "--hash=sha256",
            "--data-block-size=4096",
            "--hash-block-size=4096",
            f"--salt={hashlib.sha256(b'synthetic salt').hexdigest()}",
            f"--uuid={guid('verity')}",
            data,
            tree,
        ]
    )
    values = dict(re.findall(r"^(.+?):\s+(\S+)", said, re.MULTILINE))
    return Verity(int(values["Data blocks"]), values["Root hash"], values["Salt"])
