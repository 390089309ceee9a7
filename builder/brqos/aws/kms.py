"""KMS: signing with an asymmetric key that never leaves it, and verifying what it signed."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from brqos.aws.errors import AwsCallError, translated

if TYPE_CHECKING:
    from mypy_boto3_kms import KMSClient
    from mypy_boto3_kms.literals import SigningAlgorithmSpecType


@dataclass(frozen=True, slots=True)
class PublicKey:
    """A key as GetPublicKey tells it: `der` is its SubjectPublicKeyInfo, `usage` SIGN_VERIFY for one that signs.

    `spec` is such as ECC_NIST_P256 or RSA_3072, `algorithms` are those that Sign takes with it.
    """

    arn: str
    usage: str
    spec: str
    algorithms: tuple[str, ...]
    der: bytes


class Kms:
    """KMS in one region; safe to use from any thread. All methods raise AwsCallError.

    `key` is a key's id or ARN, or an alias (`alias/...`) or its ARN, as KeyId takes them.
    """

    def __init__(self, client: "KMSClient", region: str, profile: str | None) -> None:
        self._client = client
        self._profile = profile
        self.region = region

    def public_key(self, key: str) -> PublicKey:
        """The public half of a key, and what it is for."""
        with translated("GetPublicKey", self.region, self._profile):
            answer = self._client.get_public_key(KeyId=key)
        return PublicKey(
            arn=answer["KeyId"],
            usage=answer["KeyUsage"],
            spec=answer.get("KeySpec", ""),
            algorithms=tuple(answer.get("SigningAlgorithms", [])),
            der=answer["PublicKey"],
        )

    def sign(self, key: str, digest: bytes, algorithm: str) -> bytes:
        """A signature over something whose SHA-256 is `digest`; for an elliptic curve in DER, as X9.62 has it."""
        with translated("Sign", self.region, self._profile):
            answer = self._client.sign(
                KeyId=key,
                Message=digest,
                MessageType="DIGEST",
                SigningAlgorithm=cast("SigningAlgorithmSpecType", algorithm),
            )
        return answer["Signature"]

    def verify(self, key: str, digest: bytes, signature: bytes, algorithm: str) -> bool:
        """Whether the key made the signature; KMS has an error of its own for no."""
        try:
            with translated("Verify", self.region, self._profile):
                answer = self._client.verify(
                    KeyId=key,
                    Message=digest,
                    MessageType="DIGEST",
                    Signature=signature,
                    SigningAlgorithm=cast("SigningAlgorithmSpecType", algorithm),
                )
        except AwsCallError as error:
            if error.code == "KMSInvalidSignatureException":
                return False
            raise
        return bool(answer["SignatureValid"])
