"""A rehearsal's list of the packages in its image, in the very shape of upstream's (twoliter, embedded/rpm2img)."""

import json
from pathlib import Path

from brqos.architecture import Architecture
from brqos.image.manifest import VariantManifest
from brqos.rehearsal.tree import local_packages

_INSTALLED = "1970-01-01T00:00:00Z"


def inventory(tree: Path, manifest: VariantManifest, arch: Architecture) -> bytes:
    """The file; the same for the same tree, whose packages are those that the variant includes."""
    local = local_packages(tree)
    content = [
        {
            # Upstream takes the prefix off the packages of the core kit, and leaves it to those of the tree.
            "Name": f"bottlerocket-{package}" if package in local else package,
            "Publisher": "Bottlerocket",
            "Version": "0.1.0",
            "Release": "1.rehearsal.br1",
            "Epoch": "0",
            "InstalledTime": _INSTALLED,
            "ApplicationType": "Unspecified",
            "Architecture": arch.value,
            "Url": "https://github.com/bottlerocket-os/bottlerocket",
            "Summary": "REHEARSAL: no such package was built",
        }
        for package in sorted(manifest.included_packages)
    ]
    return (json.dumps({"Content": content}, indent=2) + "\n").encode()
