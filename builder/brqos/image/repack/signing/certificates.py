"""Certificates and RSA keys, as upstream's sbkeys/generate-local-sbkeys makes them with openssl.

Importing this raises ToolError where the package `cryptography` is not installed: it comes with the extra `repack`.
"""

import datetime
from dataclasses import dataclass
from pathlib import Path

from brqos.errors import ConfigurationError, ToolError

try:
    from cryptography import x509
    from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import rsa
    from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
except ImportError as error:
    raise ToolError(
        "the Python package “cryptography” is not installed",
        why="It makes and checks the keys of Secure Boot.",
        todo="Install brqos with its extra: pip install 'brqos[repack]'",
    ) from error

# openssl's default, and the only size that every firmware has to know (UEFI Specification 2.10, 32.4: RSA-2048).
_BITS = 2048
_EXPONENT = 65537
# Microsoft's "Windows System Component Verification", which upstream's signing keys have besides code signing.
_SYSTEM_COMPONENT = x509.ObjectIdentifier("1.3.6.1.4.1.311.10.3.6")


@dataclass(frozen=True, slots=True)
class Authority:
    """A private key with its certificate."""

    key: rsa.RSAPrivateKey
    certificate: x509.Certificate

    @property
    def key_text(self) -> str:
        """The private key as PEM (PKCS #8, not encrypted, as `openssl genrsa` writes it)."""
        return self.key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        ).decode()

    @property
    def certificate_text(self) -> str:
        """The certificate as PEM."""
        return self.certificate.public_bytes(serialization.Encoding.PEM).decode()


def new_authority(name: str, days: int) -> Authority:
    """A certificate authority of its own (`openssl req -x509` with openssl's own defaults)."""
    key = rsa.generate_private_key(_EXPONENT, _BITS)
    builder = _builder(name, days, key).issuer_name(_subject(name))
    builder = builder.add_extension(_authority_identifier(key), critical=False)
    builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
    return Authority(key, builder.sign(key, hashes.SHA256()))


def new_signing_key(name: str, days: int, issuer: Authority) -> Authority:
    """A key for signing code, with a certificate from an authority."""
    key = rsa.generate_private_key(_EXPONENT, _BITS)
    builder = _builder(name, days, key).issuer_name(issuer.certificate.subject)
    builder = builder.add_extension(_authority_identifier(issuer.key), critical=False)
    builder = builder.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=False)
    usage = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CODE_SIGNING, _SYSTEM_COMPONENT])
    return Authority(key, builder.add_extension(usage, critical=False).sign(issuer.key, hashes.SHA256()))


def read_certificate(file: Path) -> x509.Certificate:
    """The certificate of a PEM file; raises ConfigurationError if there is not exactly one in it."""
    try:
        found = x509.load_pem_x509_certificates(file.read_bytes())
    except (OSError, ValueError) as error:
        raise _unreadable(file, str(error)) from error
    if len(found) != 1:
        raise _unreadable(file, f"It has {len(found)} certificates, and one is needed.")
    return found[0]


def der(certificate: x509.Certificate) -> bytes:
    """The certificate in its binary form."""
    return certificate.public_bytes(serialization.Encoding.DER)


def check_pair(key_file: Path, certificate_file: Path) -> None:
    """Raise ConfigurationError unless the private key is the certificate's."""
    try:
        key = serialization.load_pem_private_key(key_file.read_bytes(), password=None)
    except TypeError as error:
        why = "It is encrypted with a passphrase: decrypt it (`openssl pkey`), or make another profile."
        raise _unreadable(key_file, why) from error
    except (OSError, ValueError, UnsupportedAlgorithm) as error:
        raise _unreadable(key_file, str(error)) from error
    if not isinstance(key, rsa.RSAPrivateKey):
        raise _unreadable(key_file, "It is no RSA key, and firmware and shim take no other.")
    if key.public_key() != read_certificate(certificate_file).public_key():
        raise ConfigurationError(
            f"{key_file.name} is not the key of {certificate_file.name}",
            why=f"The public key in {certificate_file} is another one: files of two profiles were mixed up.",
            todo="Take all files from one profile.",
        )


def check_issued(certificate_file: Path, issuer_file: Path) -> None:
    """Raise ConfigurationError unless the issuer signed the certificate (or is the certificate itself)."""
    certificate, issuer = read_certificate(certificate_file), read_certificate(issuer_file)
    if certificate == issuer:
        return
    try:
        certificate.verify_directly_issued_by(issuer)
    except (ValueError, TypeError, InvalidSignature) as error:
        raise ConfigurationError(
            f"{certificate_file.name} was not issued under {issuer_file.name}",
            why=f"Instances that trust {issuer_file} would refuse what that key signs: two profiles were mixed up.",
            todo="Take all files from one profile.",
        ) from error


def outside_validity(file: Path) -> str | None:
    """A remark on a certificate that is not valid today; None for one that is.

    Neither firmware nor shim looks at the date (edk2's Pkcs7Verify and shim's copy of it: X509_V_FLAG_NO_CHECK_TIME).
    """
    certificate = read_certificate(file)
    now = datetime.datetime.now(datetime.UTC)
    if certificate.not_valid_before_utc <= now <= certificate.not_valid_after_utc:
        return None
    return (
        f"{file.name} is valid from {certificate.not_valid_before_utc:%Y-%m-%d} to "
        f"{certificate.not_valid_after_utc:%Y-%m-%d} only; Secure Boot does not look at that, other tools may"
    )


def _subject(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def _builder(name: str, days: int, key: rsa.RSAPrivateKey) -> x509.CertificateBuilder:
    begin = datetime.datetime.now(datetime.UTC).replace(microsecond=0)
    builder = x509.CertificateBuilder().subject_name(_subject(name)).public_key(key.public_key())
    builder = builder.serial_number(x509.random_serial_number())
    builder = builder.not_valid_before(begin).not_valid_after(begin + datetime.timedelta(days=days))
    return builder.add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)


def _authority_identifier(key: rsa.RSAPrivateKey) -> x509.AuthorityKeyIdentifier:
    return x509.AuthorityKeyIdentifier.from_issuer_public_key(key.public_key())


def _unreadable(file: Path, why: str) -> ConfigurationError:
    return ConfigurationError(
        f"{file} of the signing profile cannot be used", why=why, todo="Take all files from one complete profile."
    )
