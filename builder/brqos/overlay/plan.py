"""From what is wanted and what the tree says to the overlay. Nothing here has an effect."""

from brqos.config.model import Delivery
from brqos.errors import ConfigurationError
from brqos.memoryqos.settings import KubeletSettings
from brqos.overlay.cargo import lock_file, variant_manifest, workspace_manifest
from brqos.overlay.drop_in import drop_in_payload
from brqos.overlay.model import FileOperation, Operation, Overlay
from brqos.overlay.package import PayloadFile, package_files
from brqos.overlay.spec import SPEC, edited_spec
from brqos.overlay.template import defaults_file, template_payload
from brqos.upstream.files import SYMLINK
from brqos.upstream.kit import KubeletPackage
from brqos.upstream.tree import UpstreamTree
from brqos.variant import KubernetesVersion, VariantName

# The first Kubernetes whose kubelet template may have the settings itself (core kit 17.0.0).
FIRST_MAYBE_NATIVE = KubernetesVersion(1, 37)


def needs_kubelet_package(tree: UpstreamTree, variant: VariantName, wish: Delivery | None) -> bool:
    """Whether the core kit must be read before the delivery is known, or to carry it out."""
    if wish is None:
        return variant.kubernetes >= FIRST_MAYBE_NATIVE or not tree.has_drop_in_directory()
    return wish is not Delivery.DROP_IN or not tree.has_drop_in_directory()


def choose_delivery(
    tree: UpstreamTree, kubelet: KubeletPackage | None, wish: Delivery | None, *, bake: bool
) -> Delivery:
    """The delivery that fits the tree, or the one wished for if it works there (else ConfigurationError).

    `bake` asks for an image even where the official one has the settings: then a drop-in, which the kubelet reads last.
    """
    has_drop_in = tree.has_drop_in_directory() or (kubelet is not None and kubelet.has_drop_in_directory)
    is_native = kubelet is not None and kubelet.has_native_settings
    if wish is Delivery.NATIVE and not is_native:
        raise _impossible(wish, tree, "this kubelet's template knows no settings for MemoryQoS")
    if wish is Delivery.DROP_IN and not has_drop_in:
        raise _impossible(wish, tree, "its kubelet reads no drop-in directory (that came with core kit 10.0.0)")
    if wish is Delivery.TEMPLATE and is_native:
        raise _impossible(
            wish, tree, "its template renders the same fields from settings; they would stand there twice"
        )
    if wish is not None:
        return wish
    if is_native and not bake:
        return Delivery.NATIVE
    return Delivery.DROP_IN if has_drop_in else Delivery.TEMPLATE


def plan_overlay(
    tree: UpstreamTree,
    kubelet: KubeletPackage | None,
    variant: VariantName,
    settings: KubeletSettings,
    delivery: Delivery,
) -> Overlay:
    """The overlay for a variant that the tree has; for the delivery “native” it is empty.

    Raises UpstreamError where the tree is not as expected: every anchor of an edit must be there exactly once.
    """
    files: list[FileOperation] = []
    if delivery is not Delivery.NATIVE:
        payload, more = _delivered(tree, kubelet, variant, settings, delivery)
        files = sorted(
            [*_variant_files(tree, variant), *package_files(variant, payload), *more], key=lambda file: file.path
        )
    return Overlay(variant, delivery, settings, tree.commit, tree.committed_at, tuple(files))


def _delivered(
    tree: UpstreamTree,
    kubelet: KubeletPackage | None,
    variant: VariantName,
    settings: KubeletSettings,
    delivery: Delivery,
) -> tuple[tuple[PayloadFile, ...], list[FileOperation]]:
    if delivery is Delivery.DROP_IN:
        return drop_in_payload(variant, settings), []
    if kubelet is None:
        raise ValueError("the delivery “template” needs the core kit's kubelet package")
    return template_payload(kubelet, settings), [defaults_file(tree, variant)]


def _variant_files(tree: UpstreamTree, variant: VariantName) -> list[FileOperation]:
    new = f"variants/{variant.memory_qos}"
    return [
        FileOperation(
            "Cargo.lock",
            Operation.MODIFY,
            lock_file(tree, variant),
            "upstream builds with --locked: the two new crates",
        ),
        FileOperation(
            "Cargo.toml", Operation.MODIFY, workspace_manifest(tree, variant), "the two new workspace members"
        ),
        FileOperation(
            SPEC, Operation.MODIFY, edited_spec(tree, variant), "the base's settings defaults serve the new variant too"
        ),
        FileOperation(
            f"{new}/Cargo.toml",
            Operation.CREATE,
            variant_manifest(tree, variant),
            f"the variant: {variant.base} and one package more",
        ),
        *_siblings(tree, variant, new),
    ]


def _siblings(tree: UpstreamTree, variant: VariantName, new: str) -> list[FileOperation]:
    """What else lies in the base's folder, above all `amispec.toml` (a link since 1.33).

    Without that one upstream's tools fall back to gp2 volumes and IMDSv1, and say nothing.
    """
    base = f"variants/{variant.base}"
    found = []
    for path in tree.files.below(base):
        name = path.removeprefix(f"{base}/")
        if name == "Cargo.toml" or name.startswith("README"):
            continue
        entry = tree.files.entries[path]
        operation = Operation.LINK if entry.mode == SYMLINK else Operation.CREATE
        found.append(FileOperation(f"{new}/{name}", operation, entry.data.decode(), "as in the base's folder"))
    return found


def _impossible(wish: Delivery, tree: UpstreamTree, why: str) -> ConfigurationError:
    return ConfigurationError(
        f"the delivery “{wish}” does not work for {tree.label}",
        why=f"{why[0].upper()}{why[1:]}.",
        todo="Leave --delivery out: brqos finds the one that fits the tree.",
    )
