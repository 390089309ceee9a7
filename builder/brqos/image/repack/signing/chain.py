"""The chain of signatures of an image: made anew with the user's keys, or taken out.

Firmware (db) -> shim -> (its .vendor_cert) -> GRUB, MokManager and kernel; GRUB -> (its .pubkey) -> grub.cfg -> (root
hash) -> root file system. The steps are those of twoliter's rpm2img and imghelper (0.0.6 to 0.5.0: sign_shim,
sign_mokm, sign_grub, sign_vmlinuz, generate_hmac, sign_grubcfg, provide_certs), with sbsign in the place of pesign.
"""

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from brqos.errors import ConfigurationError
from brqos.image.repack.signing import authenticode
from brqos.image.repack.signing.gpg import GnuPg, gnupg
from brqos.image.repack.signing.hmac import vmlinuz_hmac
from brqos.image.repack.signing.model import BootFiles
from brqos.image.repack.signing.private_folder import private_folder
from brqos.image.repack.signing.programs import PUBLIC_KEY, program
from brqos.image.repack.signing.vendor_cert import SECTION as VENDOR_CERT
from brqos.image.repack.signing.vendor_cert import vendor_table
from brqos.image.repack.signing.verify import verify_signed, verify_unsigned

if TYPE_CHECKING:
    from brqos.image.repack.signing.profile import SigningKeys


def sign_chain(files: BootFiles, keys: "SigningKeys") -> BootFiles:
    """Sign everything with the user's keys, and verify the result.

    `files` has grub.cfg as it shall be, everything else as the image has it; its own shim is used, as another one may
    refuse its GRUB (SBAT). Raises ConfigurationError for files or keys that cannot be used, ToolError for a missing
    tool.
    """
    _check_is_signed(files)
    with private_folder() as folder, gnupg() as gpg:
        public_key, grub_cfg_sig = _sign_grub_cfg(gpg, keys.config_key, files.grub_cfg)
        shim = program(files, "shim").with_content(VENDOR_CERT, vendor_table(keys.vendor_der))
        grub = program(files, "grub").with_content(PUBLIC_KEY, public_key)
        key, certificate = keys.shim_pair
        signed_shim = authenticode.sign(shim.data, shim.name, key=key, certificate=certificate, folder=folder)

        def sign_code(data: bytes, name: str) -> bytes:
            key, certificate = keys.code_pair
            return authenticode.sign(data, name, key=key, certificate=certificate, folder=folder)

        mokmanager = program(files, "mokmanager").without_signatures() if files.mokmanager else None
        kernel = program(files, "vmlinuz").without_signatures()
        vmlinuz = sign_code(kernel.data, kernel.name)
        signed = replace(
            files,
            shim=signed_shim,
            grub=sign_code(grub.data, grub.name),
            mokmanager=sign_code(mokmanager.data, mokmanager.name) if mokmanager else None,
            db_crt=keys.db_certificate.read_bytes(),
            db_cer=keys.db_der,
            vmlinuz=vmlinuz,
            vmlinuz_hmac=vmlinuz_hmac(vmlinuz),
            grub_cfg_sig=grub_cfg_sig,
        )
    verify_signed(signed, keys)
    return signed


def unsigned(files: BootFiles) -> BootFiles:
    """Take out what makes GRUB refuse files that are not signed; such an image boots with Secure Boot off only.

    GRUB asks for signatures as soon as it finds `.pubkey`, be it empty or not, Secure Boot or not (the kit's grub patch
    0045: `check_signatures` becomes `enforce`), so the section has to go. shim, MokManager and kernel stay as they are:
    nobody checks them. The certificate that upstream puts beside shim for import into a firmware goes, as it does not
    fit any more.
    """
    grub = program(files, "grub")
    if grub.section(PUBLIC_KEY) is not None:
        grub = grub.without_section(PUBLIC_KEY)
    bare = replace(files, grub=grub.data, grub_cfg_sig=None, db_crt=None, db_cer=None)
    verify_unsigned(bare)
    return bare


def _sign_grub_cfg(gpg: GnuPg, key: Path, grub_cfg: bytes) -> tuple[bytes, bytes]:
    """The public key for GRUB, and the signature."""
    gpg.take(key)
    fingerprint = gpg.secret_key()
    return gpg.export_public(fingerprint), gpg.sign(grub_cfg, fingerprint)


def _check_is_signed(files: BootFiles) -> None:
    if program(files, "grub").section(PUBLIC_KEY) is None:
        raise ConfigurationError(
            "this image's GRUB has no place for a key, so it verifies nothing",
            why=f"It has no section {PUBLIC_KEY}: it was built without Secure Boot, or repacked with --unsigned.",
            todo="Repack the official image, or this one with --unsigned.",
        )
