"""The EFI programs among the boot files, read and checked to be for the right architecture."""

from typing import Final

from brqos.errors import ConfigurationError
from brqos.image.repack.signing.model import BootFiles, file_name
from brqos.image.repack.signing.pe import MACHINES, PeFile

# Where GRUB looks for the key that grub.cfg has to be signed with (bottlerocket-kernel-kit, grub patch 0045).
PUBLIC_KEY: Final = ".pubkey"


def program(files: BootFiles, field: str) -> PeFile:
    """One of shim, grub, mokmanager and vmlinuz; raises ConfigurationError if it is none, or for another machine."""
    file = PeFile.parse(getattr(files, field), file_name(field, files.architecture))
    machine = MACHINES.get(file.machine, f"machine {file.machine:#x}")
    if machine != files.architecture.value:
        raise ConfigurationError(
            f"{file.name} is a program for {machine}, and the image is for {files.architecture.value}",
            todo="The image is damaged: take it anew.",
        )
    return file
