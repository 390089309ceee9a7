"""A chain of signatures checked by others than those that made it: sbverify, gpg, and what is read back."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from brqos.errors import ConfigurationError
from brqos.image.repack.signing import authenticode
from brqos.image.repack.signing.gpg import gnupg
from brqos.image.repack.signing.hmac import vmlinuz_hmac
from brqos.image.repack.signing.model import BootFiles, file_name
from brqos.image.repack.signing.openpgp import packets
from brqos.image.repack.signing.private_folder import private_folder
from brqos.image.repack.signing.programs import PUBLIC_KEY, program
from brqos.image.repack.signing.vendor_cert import SECTION as VENDOR_CERT
from brqos.image.repack.signing.vendor_cert import trusted_certificate

if TYPE_CHECKING:
    from brqos.image.repack.signing.profile import SigningKeys


OURSELVES = "brqos"


@dataclass(frozen=True, slots=True)
class Link:
    """Something that holds, and the program that says so."""

    what: str
    tool: str = OURSELVES


def verify_signed(files: BootFiles, keys: "SigningKeys") -> tuple[Link, ...]:
    """Check every link of the chain under the profile's certificates; say what was checked.

    Raises ConfigurationError at the first link that does not hold. Needs no private key.
    """
    said = []
    links = {"shim": keys.db_certificate, "grub": keys.vendor_certificate, "vmlinuz": keys.vendor_certificate}
    if files.mokmanager is not None:
        links["mokmanager"] = keys.vendor_certificate
    with private_folder() as folder:
        for field, certificate in links.items():
            file = program(files, field)
            if len(file.signatures()) != 1:
                raise _broken(f"{file.name} has {len(file.signatures())} signatures instead of one")
            authenticode.check(file.data, file.name, certificate=certificate, folder=folder)
            said.append(Link(f"{file.name}: signed under {certificate.name}", "sbverify"))
    shim = program(files, "shim")
    if trusted_certificate(shim.content(VENDOR_CERT)) != keys.vendor_der:
        raise _broken(f"{shim.name} does not trust vendor.crt of the profile")
    said.append(Link(f"{shim.name}: trusts vendor.crt, and nothing else besides the firmware's certificates"))
    said.append(_verify_grub_cfg(files))
    if (files.db_crt, files.db_cer) != (keys.db_certificate.read_bytes(), keys.db_der):
        raise _broken("db.crt and db.cer on EFI-SYSTEM are not those of the profile")
    said.append(_verify_hmac(files))
    return tuple(said)


def verify_unsigned(files: BootFiles) -> tuple[Link, ...]:
    """Check that GRUB asks for no signatures, and that no useless ones are left; say what was checked.

    Raises ConfigurationError.
    """
    grub = program(files, "grub")
    if grub.section(PUBLIC_KEY) is not None:
        raise _broken(f"{grub.name} still has a key that grub.cfg would have to be signed with")
    if files.grub_cfg_sig is not None:
        raise _broken("there is still a grub.cfg.sig, and it cannot be right")
    return Link(f"{grub.name}: asks for no signatures (no section {PUBLIC_KEY})"), Link("grub.cfg.sig: not there")


def _verify_grub_cfg(files: BootFiles) -> Link:
    grub = program(files, "grub")
    if files.grub_cfg_sig is None:
        raise _broken("there is no grub.cfg.sig, and GRUB asks for it")
    with gnupg() as gpg:
        gpg.take_public(packets(grub.content(PUBLIC_KEY)))
        fingerprint = gpg.check(files.grub_cfg, files.grub_cfg_sig)
    if fingerprint is None:
        raise _broken(f"grub.cfg.sig is no signature of grub.cfg by the key in {grub.name}")
    return Link(f"grub.cfg: signed by the only key in {grub.name}, {fingerprint}", "gpg")


def _verify_hmac(files: BootFiles) -> Link:
    name = file_name("vmlinuz_hmac", files.architecture)
    if files.vmlinuz_hmac != vmlinuz_hmac(files.vmlinuz):
        raise _broken(f"{name} is not that of vmlinuz")
    return Link(f"{name}: that of vmlinuz")


def _broken(what: str) -> ConfigurationError:
    return ConfigurationError(what, todo="The image was changed after it was signed: repack it anew.")
