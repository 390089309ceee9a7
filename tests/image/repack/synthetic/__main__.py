"""Make a synthetic image from the command line: `python -m tests.image.repack.synthetic FOLDER [options]`."""

import argparse
import sys
import time
from pathlib import Path

from .broken import Damage, break_image
from .maker import compress, make_image
from .model import LAYOUTS, Binaries, Filesystem, ImageOptions, MissingError
from .profile import make_profile


def _arguments() -> argparse.Namespace:
    default = ImageOptions()
    parser = argparse.ArgumentParser(prog="python -m tests.image.repack.synthetic", description=__doc__)
    parser.add_argument("folder", type=Path, help="where the images go")
    parser.add_argument("--layout", choices=LAYOUTS, default="small", help="real: 2 GiB (default: small, 64 MiB)")
    parser.add_argument("--filesystem", choices=[kind.value for kind in Filesystem], default="ext4")
    parser.add_argument("--architecture", choices=["x86_64", "aarch64"], default="x86_64")
    for name in ("variant", "version", "build_id", "kubelet", "erofs_compression"):
        parser.add_argument(f"--{name.replace('_', '-')}", default=getattr(default, name))
    parser.add_argument("--no-drop-in-directory", action="store_true", help="a kubelet without --config-dir")
    parser.add_argument("--filler-files", type=int, default=default.filler_files)
    parser.add_argument("--filler-bytes", type=int, default=default.filler_bytes, help="size of each")
    parser.add_argument("--full", action="store_true", help="leave no block of the root partition free")
    parser.add_argument("--binaries", choices=[kind.value for kind in Binaries], default="fake")
    parser.add_argument("--kernel", type=Path, help="a kernel for real binaries, instead of the newest in /boot")
    parser.add_argument("--profile", type=Path, help="sign with this profile; made if it is not there")
    parser.add_argument("--damage", choices=[kind.name.lower() for kind in Damage], help="also make a damaged copy")
    parser.add_argument("--lz4", action="store_true", help="compress both images too")
    return parser.parse_args()


def _options(arguments: argparse.Namespace) -> ImageOptions:
    return ImageOptions(
        layout=LAYOUTS[arguments.layout],
        filesystem=Filesystem(arguments.filesystem),
        architecture=arguments.architecture,
        variant=arguments.variant,
        version=arguments.version,
        build_id=arguments.build_id,
        kubelet=arguments.kubelet,
        drop_in_directory=not arguments.no_drop_in_directory,
        filler_files=arguments.filler_files,
        filler_bytes=arguments.filler_bytes,
        full=arguments.full,
        binaries=Binaries(arguments.binaries),
        kernel=arguments.kernel,
        profile=arguments.profile,
        erofs_compression=arguments.erofs_compression,
    )


def main() -> int:
    """Make what the arguments say and print the files' paths."""
    arguments = _arguments()
    began = time.monotonic()
    try:
        if arguments.profile is not None and not arguments.profile.exists():
            make_profile(arguments.profile)
        image = make_image(_options(arguments), arguments.folder)
    except MissingError as error:
        sys.stderr.write(f"{error}\n")
        return 4
    files = [image.os_image, image.data_image]
    if arguments.lz4:
        files += [compress(file) for file in files]
    if arguments.damage:
        damage = Damage[arguments.damage.upper()]
        files.append(break_image(image, damage, arguments.folder / arguments.damage).os_image)
    sys.stdout.write("".join(f"{file}\n" for file in files))
    sys.stderr.write(f"root hash {image.verity.root_hash}, {time.monotonic() - began:.1f} s\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
