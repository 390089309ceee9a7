"""What a registration was of, and what came of it: what `brqos register` shows."""

from pydantic import Field

from brqos.ami.ids import is_rehearsal
from brqos.ami.model import RegionAmi
from brqos.ami.plan import AmiPlan
from brqos.config.model import Model
from brqos.image.model import Image


class Registration(Model):
    """The plans of one AMI for all its regions; `amis` is empty where nothing but planning was asked for."""

    images: tuple[Image, ...]
    plans: tuple[AmiPlan, ...]
    amis: dict[str, RegionAmi] = Field(default_factory=dict)

    @property
    def name(self) -> str:
        """The AMI's name, the same in all regions."""
        return self.plans[0].name

    @property
    def rehearsal(self) -> bool:
        """Whether the AMIs are those of a rehearsal."""
        return any(is_rehearsal(ami.id) for ami in self.amis.values())
