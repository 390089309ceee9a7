"""The files of the root filesystem: upstream's paths, with content of our own that has the same form.

Paths and forms are those of core kit 10 (packages/release, kubernetes-*, selinux-policy, filesystem) and of
Bottlerocket's packages/settings-defaults. A file is here if brqos looks at it, or if it makes the tree a real one:
links, programs with labels of their own, a long path.
"""

import json
import random
import stat
from dataclasses import dataclass

from .model import ImageOptions

OS_LABEL = "system_u:object_r:os_t:s0"
TYPE_OF_DIRECTORY = stat.S_IFDIR | 0o755
TYPE_OF_LINK = stat.S_IFLNK | 0o777


@dataclass(frozen=True, slots=True)
class RootFile:
    """A file, folder or link; `mode` as in st_mode, `path` without a leading slash, `content` a link's target too."""

    path: str
    content: bytes = b""
    mode: int = stat.S_IFREG | 0o644
    # None where upstream's policy says <<none>>: nothing below /etc, /proc, ... is labelled.
    label: str | None = OS_LABEL


def root_files(options: ImageOptions) -> tuple[RootFile, ...]:
    """All entries of the tree, folders before what is in them; the root folder itself is not among them."""
    usr = options.sys_root
    entries = [*_top(options), *_identity(options), *_kubelet(options), *_system(options), *_fillers(options)]
    folders: dict[str, RootFile] = {}
    for entry in entries:
        parts = entry.path.split("/")
        for depth in range(1, len(parts)):
            folder = "/".join(parts[:depth])
            folders.setdefault(folder, RootFile(folder, mode=TYPE_OF_DIRECTORY, label=_label(folder, usr)))
    own = {entry.path: entry for entry in entries}
    return tuple(sorted({**folders, **own}.values(), key=lambda entry: entry.path.split("/")))


def file_contexts(options: ImageOptions) -> str:
    """What setfiles and mkfs.erofs read: the last pattern that matches a path counts (file_contexts(5))."""
    lines = [f"/.*\t{OS_LABEL}"]
    for program, type_ in _PROGRAMS.items():
        lines.append(f"/.*/usr/{program}\t--\t{_context(type_)}")
    for folder, type_ in _FOLDERS.items():
        lines += [f"/{folder}\t{_context(type_)}", f"/{folder}/.*\t<<none>>"]
    lines.append(f"/media/cdrom\t{_context('local_t')}")
    return "\n".join(lines) + "\n"


# core kit, packages/selinux-policy/fs.cil: who runs in a domain of its own, and the folders of the running system.
_PROGRAMS = {
    "lib/systemd/systemd": "init_exec_t",
    "bin/mount": "mount_exec_t",
    "bin/apiserver": "api_exec_t",
    "bin/containerd": "runtime_exec_t",
    "sbin/chronyd": "clock_exec_t",
}
_FOLDERS = {
    "local": "local_t",
    "opt": "local_t",
    "mnt": "local_t",
    "media": "local_t",
    "var": "local_t",
    "etc": "etc_t",
    "proc": "proc_t",
    "sys": "any_t",
    "dev": "any_t",
    "tmp": "any_t",
    "run": "any_t",
}


def _context(type_: str) -> str:
    return f"system_u:object_r:{type_}:s0"


def _label(path: str, usr: str) -> str | None:
    if path in _FOLDERS or path == "media/cdrom":
        return _context(_FOLDERS.get(path, "local_t"))
    if path.split("/")[0] in _FOLDERS:
        return None
    return _context(_PROGRAMS.get(path.removeprefix(f"{usr}/"), "os_t"))


def _folder(path: str, usr: str) -> RootFile:
    return RootFile(path, mode=TYPE_OF_DIRECTORY, label=_label(path, usr))


def _link(path: str, target: str) -> RootFile:
    return RootFile(path, target.encode(), TYPE_OF_LINK)


def _top(options: ImageOptions) -> list[RootFile]:
    usr = options.sys_root
    empty = (*_FOLDERS, "boot", "home", "srv", ".bottlerocket", "media/cdrom", "root/.aws", "root/.docker", "root/.ecr")
    return [
        *(_folder(path, usr) for path in empty),
        _link("usr", f"./{usr}"),
        _link("bin", "./usr/bin"),
        _link("sbin", "./usr/sbin"),
        _link("lib", f"./{usr}/lib"),
        _link("lib64", f"./{usr}/lib"),
        _link(f"{usr}/lib64", "lib"),
        RootFile("etc/selinux", f"../{usr}/share/factory/etc/selinux".encode(), TYPE_OF_LINK, None),
    ]


def _identity(options: ImageOptions) -> list[RootFile]:
    version = f"{options.version} ({options.variant})"
    home = "https://github.com/bottlerocket-os/bottlerocket"
    os_release = f"""\
NAME=Bottlerocket
ID=bottlerocket
VERSION="{version}"
PRETTY_NAME="Bottlerocket OS {version}"
VARIANT_ID={options.variant}
VERSION_ID={options.version}
BUILD_ID={options.build_id}
HOME_URL="{home}"
SUPPORT_URL="{home}/discussions"
BUG_REPORT_URL="{home}/issues"
DOCUMENTATION_URL="https://bottlerocket.dev"
"""
    share = f"{options.sys_root}/share"
    return [
        RootFile(f"{options.sys_root}/lib/os-release", os_release.encode()),
        RootFile(f"{share}/bottlerocket/image-features.env", b"DATA_PARTITION_FILESYSTEM=xfs\n"),
        RootFile(f"{share}/bottlerocket/application-inventory.json", _inventory(options)),
        RootFile(f"{share}/updog/root.json", b'{"signed": {"_type": "root", "version": 1}, "signatures": []}\n'),
    ]


def _inventory(options: ImageOptions) -> bytes:
    # rpm2img writes one object for each RPM, sorted by name; kits' packages lose the prefix “bottlerocket-”.
    minor = options.kubelet.rpartition(".")[0]
    packages = {
        "containerd": "1.7.28",
        f"kubelet-{minor}": options.kubelet,
        f"kubelet-{minor}-bin": options.kubelet,
        "kernel-6.1": "6.1.155",
        "release": "0.0",
        "systemd": "252.22",
    }
    content = [
        {
            "Name": name,
            "Publisher": "Bottlerocket",
            "Version": version,
            "Release": "1.1735689600.0a1b2c3d.br1",
            "Epoch": "0",
            "InstalledTime": "2025-01-01T00:00:00Z",
            "ApplicationType": "Unspecified",
            "Architecture": options.architecture,
            "Url": "https://example.invalid/",
            "Summary": f"A synthetic {name}",
        }
        for name, version in sorted(packages.items())
    ]
    return (json.dumps({"Content": content}, indent=2) + "\n").encode()


def _kubelet(options: ImageOptions) -> list[RootFile]:
    usr = options.sys_root
    config_dir = "    --config-dir=/etc/kubernetes/kubelet/config.d \\\n" if options.drop_in_directory else ""
    exec_start = f"""\
[required-extensions]
kubernetes = "v1"
std = {{ version = "v1", helpers = ["default"] }}
+++
[Service]
ExecStart=
ExecStart=/usr/bin/kubelet \\
    --cloud-provider {{{{default "external" settings.kubernetes.cloud-provider}}}} \\
    --config /etc/kubernetes/kubelet/config \\
{config_dir}    --node-ip ${{NODE_IP}}
"""
    config = """\
[required-extensions]
kubernetes = { version = "v1", helpers = ["kube_reserve_cpu"] }
std = { version = "v1", helpers = ["default"] }
+++
---
kind: KubeletConfiguration
apiVersion: kubelet.config.k8s.io/v1beta1
clusterDomain: {{settings.kubernetes.cluster-domain}}
{{#if settings.kubernetes.system-reserved}}
systemReserved:
  {{#each settings.kubernetes.system-reserved}}
  {{@key}}: "{{this}}"
  {{/each}}
{{/if}}
cgroupDriver: systemd
cgroupRoot: "/"
maxPods: {{default 110 settings.kubernetes.max-pods}}
featureGates:
  MutableCSINodeAllocatableCount: true
"""
    environment = (
        '[required-extensions]\nstd = { version = "v1", helpers = ["join_map"] }\n+++\n'
        "NODE_IP={{settings.kubernetes.node-ip}}\n"
    )
    # Before 1.30 the kubelet reads the folder only if this is set (core kit, packages/kubernetes-1.29/kubelet-env).
    minor = int(options.kubelet.split(".")[1])
    if options.drop_in_directory and minor < 30:
        environment += "KUBELET_CONFIG_DROPIN_DIR_ALPHA=1\n"
    unit = """\
[Unit]
Description=Kubelet
After=containerd.service configured.target

[Service]
Slice=runtime.slice
EnvironmentFile=/etc/kubernetes/kubelet/env
ExecStart=/usr/bin/false
Delegate=yes
"""
    tmpfiles = "d /etc/kubernetes/static-pods - - - -\nr! /var/lib/kubelet/cpu_manager_state\n"
    if options.drop_in_directory:
        tmpfiles += "d /etc/kubernetes/kubelet/config.d - - - -\n"
    return [
        RootFile(f"{usr}/bin/kubelet", _program(options, f"v{options.kubelet}-eks-0a1b2c3"), stat.S_IFREG | 0o755),
        RootFile(f"{usr}/share/templates/kubelet-exec-start-conf", exec_start.encode()),
        RootFile(f"{usr}/share/templates/kubelet-config", config.encode()),
        RootFile(f"{usr}/share/templates/kubelet-env", environment.encode()),
        RootFile(f"{usr}/lib/systemd/system/kubelet.service", unit.encode()),
        RootFile(f"{usr}/lib/tmpfiles.d/kubernetes.conf", tmpfiles.encode()),
    ]


def _system(options: ImageOptions) -> list[RootFile]:
    usr, variant = options.sys_root, options.variant
    defaults = f"""\
[settings.kubernetes]
cluster-domain = "cluster.local"

[settings.updates]
metadata-base-url = "https://updates.example.invalid/2020-07-07/{variant}/{options.architecture}/"
targets-base-url = "https://updates.example.invalid/targets/"
seed = 0
version-lock = "latest"
ignore-waves = false

[configuration-files.kubelet-config]
path = "/etc/kubernetes/kubelet/config"
template-path = "/usr/share/templates/kubelet-config"
"""
    serves = f"L+ /etc/storewolf/defaults.toml - - - - /{usr}/share/storewolf/{variant}.toml\n"
    policy = f"{usr}/share/factory/etc/selinux/fortified"
    executable = stat.S_IFREG | 0o755
    return [
        *(
            RootFile(f"{usr}/{path}", _program(options, path), executable, _context(type_))
            for path, type_ in _PROGRAMS.items()
        ),
        _link(f"{usr}/sbin/init", "../lib/systemd/systemd"),
        RootFile(f"{usr}/share/storewolf/{variant}.toml", defaults.encode()),
        RootFile(f"{usr}/lib/tmpfiles.d/storewolf-defaults-{variant}.conf", serves.encode()),
        # systemd writes the dot of “/.bottlerocket” like this: a backslash in a name (packages/release).
        RootFile(f"{usr}/lib/systemd/system/\\x2ebottlerocket.mount", b"[Mount]\nWhere=/.bottlerocket\n"),
        RootFile(f"{usr}/lib/tmpfiles.d/release.conf", b"C /etc/nsswitch.conf - - - -\n"),
        RootFile(f"{usr}/share/factory/etc/nsswitch.conf", b"passwd: files\ngroup: files\nhosts: files dns\n"),
        RootFile(f"{usr}/share/factory/etc/issue", b"Bottlerocket (synthetic)\n"),
        RootFile(f"{policy}/contexts/files/file_contexts", file_contexts(options).encode()),
        RootFile(f"{usr}/share/licenses/synthetic/LICENSE", b"Nothing in this image is upstream's.\n"),
        # A name that is longer than a line; one of 255 characters is too much for mkfs.erofs 1.5.
        RootFile(f"{usr}/share/bottlerocket/{'n' * 250}", b""),
    ]


def _program(options: ImageOptions, text: str) -> bytes:
    """Something like a program of Go: an ELF file's first bytes, and a version among data that does not compress."""
    machine = {"x86_64": 62, "aarch64": 183}[options.architecture]
    header = b"\x7fELF\x02\x01\x01" + bytes(9) + b"\x02\x00" + machine.to_bytes(2, "little") + bytes(44)
    noise = random.Random(f"program {text}")
    return header + noise.randbytes(20_000) + b"\x00" + text.encode() + b"\x00" + noise.randbytes(12_000)


_LOW_HALVES = bytes(byte & 0x0F for byte in range(256))


def _fillers(options: ImageOptions) -> list[RootFile]:
    """Files whose first half compresses to a half, as programs do, and whose second one does not."""
    result = []
    for number in range(options.filler_files):
        noise = random.Random(f"filler {number}").randbytes(options.filler_bytes)
        half = options.filler_bytes // 2
        text = noise[:half].translate(_LOW_HALVES)
        result.append(RootFile(f"{options.sys_root}/libexec/filler/{number:04}.bin", text + noise[half:]))
    return result
