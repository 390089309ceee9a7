"""Delivery “drop-in”: a KubeletConfiguration of our own beside upstream's, which stays untouched.

Since core kit 10.0.0 every kubelet runs with `--config-dir=/etc/kubernetes/kubelet/config.d`. That directory is made at
each boot (/etc is a tmpfs), so the file lies in the factory directory and a tmpfiles.d line puts it there. The kubelet
reads `*.conf` in lexical order and merges feature gates key by key, later files winning (KEP-3983): upstream's own
gates stay, and our number comes after upstream's `001-snapshotter.conf`.
"""

from brqos.memoryqos.settings import KubeletSettings
from brqos.memoryqos.yaml_text import drop_in
from brqos.overlay.package import PACKAGE, PayloadFile
from brqos.variant import VariantName

FILE = "900-memory-qos.conf"
DIRECTORY = "/etc/kubernetes/kubelet/config.d"


def drop_in_payload(variant: VariantName, settings: KubeletSettings) -> tuple[PayloadFile, ...]:
    """The two files of the delivery."""
    return (
        PayloadFile(
            source=FILE,
            content=drop_in(settings, variant.memory_qos),
            directory="%{_cross_factorydir}%{_cross_sysconfdir}/kubernetes/kubelet/config.d",
            installed_as=FILE,
            owns_directory=True,
            why="the kubelet settings",
        ),
        PayloadFile(
            source=f"{PACKAGE}-tmpfiles.conf",
            # Without an argument, C copies from /usr/share/factory (tmpfiles.d(5)).
            content=f"C {DIRECTORY}/{FILE} - - - -\n",
            directory="%{_cross_tmpfilesdir}",
            installed_as=f"{PACKAGE}.conf",
            owns_directory=False,
            why="puts the settings where the kubelet reads them, at each boot",
        ),
    )
