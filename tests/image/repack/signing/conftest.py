from collections.abc import Callable
from pathlib import Path

import pytest

from brqos.architecture import Architecture
from brqos.errors import ToolError
from brqos.image.repack.signing.model import BootFiles
from brqos.image.repack.signing.profile import SigningKeys, load_keys
from conftest import missing

from ..synthetic import pe
from .programs import GRUB_SBAT, fake

GRUB_CFG = b'set check_signatures="no"\nset dm_verity_root="root,,,ro,0 8 verity 1 a b 4096 4096 1 1 sha256 c d 2"\n'


@pytest.fixture(scope="session")
def profile(tmp_path_factory: pytest.TempPathFactory, tool: Callable[[str], Path]) -> Path:
    """A profile made by ourselves, once for all tests; not to be written to."""
    from brqos.image.repack.signing.keys import new_profile

    for program in ("gpg", "gpgconf", "sbsign", "sbverify"):
        tool(program)
    folder = tmp_path_factory.mktemp("profiles") / "own"
    try:
        new_profile(folder)
    except ToolError as error:
        missing(error.what)
    return folder


@pytest.fixture(scope="session")
def keys(profile: Path) -> SigningKeys:
    return load_keys(profile)


@pytest.fixture(params=list(Architecture))
def files(request: pytest.FixtureRequest) -> BootFiles:
    """An image's boot files before they are signed, with programs that only look like some, for each architecture."""
    return boot_files(request.param)


def boot_files(architecture: Architecture) -> BootFiles:
    return BootFiles(
        architecture,
        shim=fake(architecture, "shim", pe.Section(".vendor_cert", pe.cert_table(b"theirs"))),
        grub=fake(architecture, "GRUB", pe.Section(".pubkey", bytes(4096)), pe.Section(".sbat", GRUB_SBAT)),
        mokmanager=fake(architecture, "MokManager"),
        db_crt=b"theirs",
        db_cer=b"theirs",
        vmlinuz=fake(architecture, "kernel", size=100_000),
        vmlinuz_hmac=b"theirs",
        grub_cfg=GRUB_CFG,
        grub_cfg_sig=b"theirs",
    )
