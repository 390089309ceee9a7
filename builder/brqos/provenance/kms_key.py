"""Signing and verifying with a key in KMS: it is given the SHA-256 of what is signed, and nothing else leaves here."""

import hashlib
from dataclasses import dataclass

from brqos.aws.errors import AwsCallError, ErrorKind
from brqos.aws.kms import Kms, PublicKey
from brqos.aws.regions import AwsRegions
from brqos.errors import AwsError, ConfigurationError, UsageError
from brqos.provenance.envelope import Signature
from brqos.provenance.keys import Key

# What cosign takes for these keys too: SHA-256, and for RSA the older padding.
_ALGORITHMS = ("ECDSA_SHA_256", "RSASSA_PKCS1_V1_5_SHA_256")
# AWS KMS API Reference, Verify, Signature: what has another length is refused as a request, and is no answer.
_LONGEST_SIGNATURE = 6144


@dataclass(frozen=True, slots=True)
class KmsKey:
    """A key that was asked for its public half, and how it signs."""

    kms: Kms
    public: PublicKey
    algorithm: str

    def sign(self, data: bytes) -> Signature:
        """A signature over data; raises AwsCallError."""
        digest = hashlib.sha256(data).digest()
        return Signature(self.kms.sign(self.public.arn, digest, self.algorithm), self.public.arn)

    def verify(self, data: bytes, signature: bytes) -> bool:
        """Whether the key made the signature; raises AwsCallError."""
        if not 0 < len(signature) <= _LONGEST_SIGNATURE:
            return False
        return self.kms.verify(self.public.arn, hashlib.sha256(data).digest(), signature, self.algorithm)


def open_key(key: Key, aws: AwsRegions) -> KmsKey:
    """Ask KMS for the key; raises ConfigurationError for one that cannot sign so, UsageError without a region."""
    region = region_of(key, aws)
    kms = aws.session(region).kms(region)
    try:
        public = kms.public_key(key.name)
    except AwsCallError as error:
        raise _refused(key, region, error) from error
    algorithm = next((name for name in _ALGORITHMS if name in public.algorithms), None)
    if public.usage != "SIGN_VERIFY" or algorithm is None:
        raise ConfigurationError(
            f"the KMS key {key.name} cannot sign documents",
            why=f"It is of the kind {public.spec} for {public.usage}.",
            todo="Make one for it: aws kms create-key --key-usage SIGN_VERIFY --key-spec ECC_NIST_P256",
        )
    return KmsKey(kms, public, algorithm)


def region_of(key: Key, aws: AwsRegions) -> str:
    """Where the key is; raises UsageError where nothing says it."""
    region = key.region or aws.default.default_region()
    if region is None:
        raise UsageError(
            f"the region of the KMS key {key.name} is not known",
            todo="Give its ARN, which says it, or set AWS_REGION.",
        )
    return region


def _refused(key: Key, region: str, error: AwsCallError) -> AwsError:
    if error.kind is ErrorKind.NOT_FOUND or error.code == "NotFoundException":
        return AwsError(
            f"there is no KMS key {key.name} in {region}",
            why=error.why,
            todo="Correct the key's name, or give its ARN, which names its region and account.",
        )
    if error.kind is ErrorKind.ACCESS_DENIED:
        return AwsError(
            error.what,
            why=error.why,
            todo="Whoever signs needs kms:GetPublicKey and kms:Sign on the key, whoever verifies kms:GetPublicKey and"
            " kms:Verify; the key's own policy has a say too.",
        )
    return error
