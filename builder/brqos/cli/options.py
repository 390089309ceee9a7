"""Options that several commands share, so that they read the same everywhere."""

from pathlib import Path
from typing import Annotated

import typer

Json = Annotated[bool, typer.Option("--json", help="Print one JSON object on standard output.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Print results and warnings only.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Show what would be done, and do nothing.")]
Variant = Annotated[
    str | None,
    typer.Option("--variant", metavar="NAME", help="Bottlerocket variant, for example aws-k8s-1.29."),
]
Arch = Annotated[
    str | None,
    typer.Option("--arch", metavar="ARCH", help="x86_64 (amd64) or aarch64 (arm64); this machine's by default."),
]
Regions = Annotated[
    list[str] | None,
    typer.Option("--region", metavar="REGION", help="AWS region; repeat it for several."),
]
Profile = Annotated[str | None, typer.Option("--profile", metavar="NAME", help="Profile of the AWS configuration.")]
ConfigFile = Annotated[
    Path | None,
    typer.Option("--config", metavar="FILE", help="Configuration file; ./brqos.toml where there is one."),
]
ConfirmPublic = Annotated[bool, typer.Option("--confirm-public", help="Yes, everybody: a public AMI is meant.")]
Build = Annotated[str | None, typer.Option("--build", metavar="ID", help="A build by its id; the latest by default.")]
Record = Annotated[
    Path | None,
    typer.Option("--record", metavar="FILE", help="A build record (build.json), also from another machine."),
]
Upstream = Annotated[
    str | None,
    typer.Option("--upstream", metavar="URL|PATH", help="Bottlerocket's repository; upstream's own by default."),
]
Ref = Annotated[
    str | None,
    typer.Option("--ref", metavar="REF", help="Tag, branch or commit; the variant's pinned release by default."),
]
CoreKit = Annotated[
    str | None, typer.Option("--core-kit", metavar="URL|PATH", help="The core kit's repository; upstream's by default.")
]
CoreKitRef = Annotated[
    str | None,
    typer.Option("--core-kit-ref", metavar="REF", help="Its tag, branch or commit; what the release pins by default."),
]
Offline = Annotated[
    bool | None, typer.Option("--offline/--online", help="Use what is mirrored already, never the network.")
]
Factor = Annotated[
    float | None, typer.Option("--factor", metavar="F", help="memoryThrottlingFactor, 0 < F <= 1; 0.9 by default.")
]
Policy = Annotated[
    str | None,
    typer.Option(
        "--policy", metavar="P", help="memoryReservationPolicy (Kubernetes >= 1.36): TieredReservation or None."
    ),
]
FeatureGates = Annotated[
    list[str] | None,
    typer.Option("--feature-gate", metavar="NAME=BOOL", help="A further feature gate of the kubelet; repeat it."),
]
DeliveryOption = Annotated[
    str | None,
    typer.Option("--delivery", metavar="HOW", help="drop-in, template or native; found from the tree by default."),
]
Bake = Annotated[
    bool | None,
    typer.Option("--bake/--no-bake", help="Build an image even where the official one needs settings only."),
]
