"""`brqos variants`: what can be built, from which release, and what MemoryQoS will do there."""

from typing import TYPE_CHECKING, Annotated

import typer

from brqos.cli import options
from brqos.cli.session import running

if TYPE_CHECKING:
    from brqos.config.variants import Flavor, ShippedVariant


def variants(
    flavor: Annotated[str | None, typer.Option("--flavor", metavar="F", help="Only plain, nvidia or fips.")] = None,
    json_output: options.Json = False,
) -> None:
    """List the variants with their releases, and what MemoryQoS will do on their Kubernetes."""
    with running(json_output=json_output) as console:
        from brqos.config.variants import PLAIN, shipped_variants
        from brqos.errors import ConfigurationError

        known = sorted({name for shipped in shipped_variants() for name in shipped.flavors})
        if flavor is not None and flavor not in known:
            raise ConfigurationError(f"there is no flavor “{flavor}”", todo=f"Use {', '.join(known)}.")
        rows = [
            _row(shipped, name, facts)
            for shipped in shipped_variants()
            for name, facts in shipped.flavors.items()
            if flavor in {None, name}
        ]
        if json_output:
            console.data(rows)
            return
        # A table of all flavors would say everything three times: they differ in their first release only.
        shown = [row for row in rows if flavor or row["flavor"] == PLAIN]
        console.table(
            ["VARIANT", "RELEASES", "DEFAULT", "TRIED", "DELIVERY", "PROTECTS BY", "THROTTLES BY"],
            [_cells(row) for row in shown],
        )
        if not flavor:
            console.line("")
            console.line(
                "Each also as -nvidia and -fips (--flavor shows those); any other aws-k8s-* that a release has"
            )
            console.line("works with --ref. TRIED: every check passed on the default release's real source tree.")
        for shipped in shipped_variants():
            if shipped.note:
                console.line(f"{shipped.name}: {shipped.note}")


def _row(shipped: "ShippedVariant", flavor: str, facts: "Flavor") -> dict[str, object]:
    from brqos.config.variants import PLAIN
    from brqos.memoryqos.settings import kubelet_settings, official_effect
    from brqos.overlay.expectation import expected_delivery
    from brqos.variant import VariantName

    kubernetes = shipped.name.kubernetes
    settings = kubelet_settings(kubernetes)
    name = VariantName(kubernetes, "" if flavor == PLAIN else flavor)
    return {
        "variant": name.base,
        "kubernetes": str(kubernetes),
        "flavor": flavor,
        "first_release": facts.first_release,
        "last_release": facts.last_release,
        "default_release": facts.default_release,
        "tried": facts.default_is_tried,
        "newest_release": facts.newest_release,
        "delivery": expected_delivery(kubernetes, facts.default_release),
        "effect": settings.effect(),
        "protects": settings.protection() or "-",
        "throttles": settings.throttling(),
        "factor": settings.throttling_factor,
        "official_image": official_effect(kubernetes),
        "note": shipped.note,
    }


def _cells(row: dict[str, object]) -> list[str]:
    last = f"v{row['last_release']}" if row["last_release"] else "today"
    return [
        str(row["variant"]),
        f"v{row['first_release']} - {last}",
        f"v{row['default_release']}",
        "+yes" if row["tried"] else "~no",
        str(row["delivery"]),
        str(row["protects"]),
        f"memory.high, factor {row['factor']:g}",
    ]
