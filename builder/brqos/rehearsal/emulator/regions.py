"""What an account has set in one region."""

from dataclasses import dataclass


@dataclass(slots=True)
class RegionSettings:
    """The defaults of an account in a region; tests set the fields as they like.

    `default_kms_key` is the ARN of the key that encryption uses where none is named (None: the AWS-managed one).
    The block-public-access fields have the states of the API, `unblocked` among them. `opt_in_status` is
    `opt-in-not-required`, `opted-in` or `not-opted-in`; in a region of the last kind no credentials work.
    """

    encryption_by_default: bool = False
    default_kms_key: str | None = None
    image_block_public_access: str = "unblocked"
    snapshot_block_public_access: str = "unblocked"
    opt_in_status: str = "opt-in-not-required"
