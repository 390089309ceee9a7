"""Which files of an image change, and to what. Pure: from what was found and what is wanted to a list."""

from dataclasses import dataclass

from brqos.architecture import Architecture
from brqos.config.model import Delivery
from brqos.errors import ConfigurationError
from brqos.image.repack.defaults import Defaults, with_updates_off
from brqos.image.repack.filesystem.model import FileChange
from brqos.image.repack.kubelet import Kubelet
from brqos.image.repack.os_release import OsRelease, modified
from brqos.memoryqos.settings import KubeletSettings
from brqos.overlay.drop_in import DIRECTORY, drop_in_payload
from brqos.overlay.package import PayloadFile
from brqos.overlay.template import merged_template
from brqos.upstream.kit import KubeletPackage
from brqos.variant import VariantName


@dataclass(frozen=True, slots=True)
class Found:
    """What the plan depends on: a part of what `examine` returns."""

    architecture: Architecture
    usr: str
    release: OsRelease
    variant: VariantName
    kubelet: Kubelet
    defaults: Defaults


def choose_delivery(kubelet: Kubelet, wish: Delivery | None, *, bake: bool = False) -> Delivery:
    """The delivery that fits the kubelet, or the one wished for; raises ConfigurationError where that cannot work.

    `bake` asks for a changed image even where the official one knows the settings: then a drop-in, which is read last.
    """
    works = {
        Delivery.NATIVE: kubelet.has_native_settings,
        Delivery.DROP_IN: kubelet.drop_in_directory == DIRECTORY,
        Delivery.TEMPLATE: not kubelet.has_native_settings,
    }
    if wish is not None:
        if not works[wish]:
            raise _impossible(wish, kubelet)
        return wish
    if works[Delivery.NATIVE] and not bake:
        return Delivery.NATIVE
    if works[Delivery.DROP_IN]:
        return Delivery.DROP_IN
    if not works[Delivery.TEMPLATE]:
        raise _impossible(Delivery.DROP_IN, kubelet)
    return Delivery.TEMPLATE


def plan_edit(
    found: Found, settings: KubeletSettings, delivery: Delivery, *, pretty_name: str, updates_off: bool = False
) -> tuple[FileChange, ...]:
    """The changes, sorted by path; nothing for the delivery “native”, which needs no other image.

    `pretty_name` is the setting `build.pretty-name`. With `updates_off` in-place updates have to be asked for.
    Raises ConfigurationError or UpstreamError where the image's files are not as expected.
    """
    if settings.kubernetes != found.variant.kubernetes:
        raise ValueError(f"settings for {settings.kubernetes}, an image for {found.variant.kubernetes}")
    if delivery is Delivery.NATIVE:
        return ()
    changes = [*_delivered(found, settings, delivery), _release(found, pretty_name)]
    if updates_off:
        changes.append(
            FileChange(
                found.defaults.path,
                with_updates_off(found.defaults, found.release.version_id).encode(),
                f"in-place updates stay at {found.release.version_id} unless user data says otherwise",
            )
        )
    return tuple(sorted(changes, key=lambda change: change.path))


def real_path(payload: PayloadFile, architecture: Architecture) -> str:
    """Where a file of the local package lies in an image: the SDK's RPM macros (bottlerocket-sdk, macros/shared)."""
    root = f"/{architecture}-bottlerocket-linux-gnu/sys-root"
    macros = {
        # Not below the sys-root: RPM's own, which the factory directory is put before.
        "%{_cross_sysconfdir}": "/etc",
        "%{_cross_factorydir}": f"{root}/usr/share/factory",
        "%{_cross_tmpfilesdir}": f"{root}/usr/lib/tmpfiles.d",
        "%{_cross_templatedir}": f"{root}/usr/share/templates",
    }
    directory = payload.directory
    for macro, value in macros.items():
        directory = directory.replace(macro, value)
    if "%" in directory:
        raise ValueError(f"an RPM macro that is not known here: {payload.directory}")
    return f"{directory}/{payload.installed_as}"


def _delivered(found: Found, settings: KubeletSettings, delivery: Delivery) -> list[FileChange]:
    if delivery is Delivery.DROP_IN:
        return [
            FileChange(real_path(file, found.architecture), file.content.encode(), file.why)
            for file in drop_in_payload(found.variant, settings)
        ]
    # The image's own template, in its place: there is no other image that it would have to serve.
    kubelet = found.kubelet
    package = KubeletPackage(
        version=found.release.version_id,
        commit=found.release.build_id,
        label=f"the kubelet template of Bottlerocket {found.release.version_id} ({found.variant})",
        template=kubelet.template,
        has_drop_in_directory=kubelet.drop_in_directory is not None,
    )
    content = merged_template(package, settings).encode()
    return [FileChange(kubelet.template_path, content, "the kubelet's configuration, with the settings merged in")]


def _release(found: Found, pretty_name: str) -> FileChange:
    text = modified(found.release, found.variant, pretty_name)
    why = f"the image says that it is {found.variant.memory_qos}, and by whose name"
    return FileChange(f"{found.usr}/lib/os-release", text.encode(), why)


def _impossible(delivery: Delivery, kubelet: Kubelet) -> ConfigurationError:
    if delivery is Delivery.NATIVE:
        why = "Its kubelet's template knows no settings for MemoryQoS."
    elif delivery is Delivery.TEMPLATE:
        why = "Its kubelet's template renders the same fields from settings; they would stand there twice."
    elif kubelet.drop_in_directory is None:
        why = "Its kubelet reads no drop-in directory (that came with core kit 10.0.0)."
    else:
        why = f"Its kubelet reads {kubelet.drop_in_directory}, not {DIRECTORY}."
    return ConfigurationError(
        f"the delivery “{delivery}” does not work for this image",
        why=why,
        todo="Leave --delivery out: brqos finds the one that fits the image.",
    )
