"""The planned change: file operations, each with a hash, and the one commit that they become."""

import hashlib
from dataclasses import dataclass
from enum import StrEnum

from brqos.config.model import Delivery
from brqos.memoryqos.settings import KubeletSettings
from brqos.upstream.files import REGULAR, SYMLINK
from brqos.variant import VariantName


class Operation(StrEnum):
    """What happens to a path of upstream's tree; `link` makes a symbolic link."""

    CREATE = "create"
    MODIFY = "modify"
    LINK = "link"


@dataclass(frozen=True, slots=True)
class FileOperation:
    """One path of the overlay; `content` is the whole new text, or where a link points. `why` is for people."""

    path: str
    operation: Operation
    content: str
    why: str

    @property
    def mode(self) -> str:
        """git's mode."""
        return SYMLINK if self.operation is Operation.LINK else REGULAR

    @property
    def sha256(self) -> str:
        """Of the content's bytes (UTF-8)."""
        return hashlib.sha256(self.content.encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Overlay:
    """All that turns upstream's tree at `upstream_commit` into one with our variant."""

    variant: VariantName
    delivery: Delivery
    settings: KubeletSettings
    upstream_commit: str
    committed_at: str
    files: tuple[FileOperation, ...]

    @property
    def message(self) -> str:
        """The commit's message."""
        text = (
            f"Add the variant {self.variant.memory_qos}\n\n"
            f"{self.variant.base} with MemoryQoS (KEP-2570) on in its kubelet, by the delivery {self.delivery}.\n"
            f"On Kubernetes {self.variant.kubernetes} the kubelet then {self.settings.effect()}.\n"
        )
        if self.delivery is Delivery.TEMPLATE:
            text += (
                "\nThis tree builds this variant only: the crate whose settings defaults point at the changed\n"
                "template serves other variants too, and those would name a file that they do not have.\n"
            )
        return text
