"""How the soak of repacked images judges, and that what it does to them is what it says."""

import hashlib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from conftest import missing
from image.repack.synthetic import ImageOptions, MissingError, SyntheticImage, copy, make_image, make_profile
from image.repack.synthetic.bootable import BootOutcome, ShownFile
from image.repack.synthetic.partitions import BOOT, EFI_SYSTEM, HASH, ROOT
from soak.repacking import command
from soak.repacking.cases import Case, Firmware
from soak.repacking.refusal import Refuser, refusal
from soak.repacking.scene import DROP_IN, OS_RELEASE, TMPFILES, Repacked
from soak.repacking.tampering import (
    GRUB,
    SHIM,
    Tampering,
    bit_of_data,
    bit_of_file,
    bit_of_tree,
    changed_grub_config,
    changed_grub_config_signed_anew,
    grub_config_of,
    kernel_of,
    program_of,
    root_of,
    untouched,
)
from soak.repacking.verdict import judge

# What the serial console said in real boots, shortened.
DEVICE = '"UEFI Misc Device" from PciRoot(0x0)/Pci(0x2,0x0)'
STARTED = f"\x1b[2J\x1b[01;01HBdsDxe: loading Boot0002 {DEVICE}\nBdsDxe: starting Boot0002 {DEVICE}\n"
DENIED = f"BdsDxe: loading Boot0002 {DEVICE}\nBdsDxe: failed to load Boot0002 {DEVICE}: Access Denied\n"
SHELL = 'BdsDxe: failed to start Boot0003 "EFI Internal Shell" from Fv(7CB8): Security Violation\n'
BOX = "\x1b[10;31H│  ERROR │\x1b[11;31H│Verification failed: (0x1A) Security Violation│\x1b[15;49H│ OK │"
GRUB_SCREEN = STARTED + "\x1b[0m\x1b[30m\x1b[47mWelcome to GRUB!\n\n\x1b[0m\x1b[2J"
MENU = GRUB_SCREEN + "  Booting `Bottlerocket derivative with MemoryQoS 1.55.0'\n\n"
KERNEL = MENU + "[    0.000000] Linux version 6.1.0-56-amd64 (Debian)\n"
VERITY = KERNEL + "[    7.640599] device-mapper: verity: 254:4: data block 694 is corrupted\n"

DROP_IN_CONTENT = (
    b"apiVersion: kubelet.config.k8s.io/v1beta1\nkind: KubeletConfiguration\n"
    b"featureGates:\n  MemoryQoS: true\nmemoryThrottlingFactor: 0.9\n"
)
CONTENTS = {
    DROP_IN: DROP_IN_CONTENT,
    TMPFILES: b"C /etc/kubernetes/kubelet/config.d/900-memory-qos.conf - - - -\n",
    OS_RELEASE: b"ID=bottlerocket\nVARIANT_ID=aws-k8s-1.29-memoryqos\nVERSION_ID=1.55.0\nBUILD_ID=0a1b2c3d\n",
}


@pytest.mark.parametrize(
    ("log", "by"),
    [
        (DENIED + SHELL, Refuser.FIRMWARE),
        (STARTED + BOX, Refuser.SHIM),
        (MENU + "error: bad shim signature.\nerror: you need to load the kernel first.\n", Refuser.SHIM),
        (GRUB_SCREEN + "boot failed (device (hd0,gpt3), uuid 246a2744)\n", Refuser.GRUB),
        (VERITY, Refuser.VERITY),
        (VERITY.replace("data block 694", "metadata block 1"), Refuser.VERITY),
    ],
)  # fmt: skip
def test_who_refused_is_seen(log: str, by: Refuser) -> None:
    found = refusal(log)
    assert found is not None
    assert found.by is by


@pytest.mark.parametrize(
    "log",
    [
        "",
        STARTED,
        # The firmware's own shell is never allowed: that says nothing about the image.
        SHELL,
        MENU,
        KERNEL,
        # Words of a link that did not come to its turn, or of one that had let the next one start.
        BOX,
        GRUB_SCREEN + BOX,
        MENU + "boot failed (device (hd0,gpt3), uuid 246a2744)\n",
        "device-mapper: verity: 254:4: data block 694 is corrupted",
    ],
)
def test_nobody_refused(log: str) -> None:
    assert refusal(log) is None


@pytest.fixture
def repacked(an_image: SyntheticImage) -> Repacked:
    digests = {path: hashlib.sha256(content).hexdigest() for path, content in CONTENTS.items()}
    return Repacked(an_image, digests, None, 1.0)


@pytest.fixture
def an_image(tmp_path: Path) -> SyntheticImage:
    """One that nobody reads."""
    return SyntheticImage(tmp_path / "os", tmp_path / "data", ImageOptions(), None, ())  # type: ignore[arg-type]


def outcome(log: str = "", *, booted: bool = True, secure_boot: bool = True, **changed: bytes | None) -> BootOutcome:
    """A boot; `changed` are other contents of DROP_IN, TMPFILES and OS_RELEASE, by the names in lower case."""
    names = {"drop_in": DROP_IN, "tmpfiles": TMPFILES, "os_release": OS_RELEASE}
    contents = {**CONTENTS, **{names[name]: content for name, content in changed.items()}}
    files = {path: ShownFile(content, "644", 0, 0) for path, content in contents.items() if content is not None}
    absent = tuple(path for path, content in contents.items() if content is None)
    return BootOutcome(booted, secure_boot, files, absent, 20.0, log)


def test_a_right_boot_is_right(repacked: Repacked) -> None:
    case = Case("repacked", Firmware.OWN, repacked.image, repacked=repacked)
    assert judge(case, outcome()).problems == ()
    assert judge(replace(case, firmware=Firmware.OFF), outcome(secure_boot=False)).problems == ()


@pytest.mark.parametrize(
    ("what", "problem"),
    [
        (outcome(secure_boot=False), "Secure Boot is off"),
        (outcome(drop_in=None), "is not there"),
        (outcome(drop_in=DROP_IN_CONTENT + b"\n"), "other content"),
        (replace(outcome(), files={**outcome().files, TMPFILES: ShownFile(b"", "600", 0, 0)}), "mode 600"),
        (replace(outcome(), files={**outcome().files, TMPFILES: ShownFile(b"", "644", 0, 7)}), "owner 0:7"),
        (outcome("", booted=False), "neither booted"),
        (outcome(VERITY, booted=False), "had to boot"),
    ],
)
def test_a_wrong_boot_is_wrong(repacked: Repacked, what: BootOutcome, problem: str) -> None:
    found = judge(Case("repacked", Firmware.OWN, repacked.image, repacked=repacked), what)
    assert len(found.problems) == 1
    assert problem in found.problems[0]


def test_the_words_that_matter_have_to_be_there(repacked: Repacked) -> None:
    off = DROP_IN_CONTENT.replace(b"true", b"false")
    recorded = replace(repacked, digests={**repacked.digests, DROP_IN: hashlib.sha256(off).hexdigest()})
    found = judge(Case("repacked", Firmware.OWN, repacked.image, repacked=recorded), outcome(drop_in=off))
    assert found.problems == (f"{DROP_IN} lacks the line “  MemoryQoS: true”",)


def test_the_original_has_nothing_added(an_image: SyntheticImage) -> None:
    case = Case("the original", Firmware.ORIGINAL, an_image)
    assert judge(case, outcome(drop_in=None, tmpfiles=None)).problems == ()
    assert judge(case, outcome(tmpfiles=None)).problems != ()


def test_a_refusal_by_the_right_link_is_right(repacked: Repacked) -> None:
    case = Case("flipped", Firmware.OWN, repacked.image, Refuser.VERITY, repacked=repacked)
    assert judge(case, outcome(VERITY, booted=False, drop_in=None)).problems == ()
    assert judge(case, outcome(DENIED, booted=False)).problems == ("it had to be refused by dm-verity",)
    assert judge(case, outcome()).problems == ("it booted",)
    # What was read before has to be whole.
    assert judge(case, outcome(VERITY, booted=False, drop_in=b"x")).problems != ()


@pytest.fixture(scope="session")
def originals(tmp_path_factory: pytest.TempPathFactory) -> tuple[SyntheticImage, SyntheticImage]:
    """Two small images of different profiles and releases; nothing in them can boot."""
    folder = tmp_path_factory.mktemp("tampering")
    try:
        one, other = (
            make_image(
                ImageOptions(profile=make_profile(folder / f"keys-{release}"), version=release), folder / release
            )
            for release in ("1.55.0", "1.54.0")
        )
    except MissingError as error:
        missing(str(error))
    return one, other


def _of(other: SyntheticImage, tampering: str) -> Tampering:
    made: dict[str, Callable[[], Tampering]] = {
        "grub.cfg": lambda: grub_config_of(other),
        "GRUB": lambda: program_of(other, GRUB),
        "shim": lambda: program_of(other, SHIM),
        "kernel": lambda: kernel_of(other),
        "root": lambda: root_of(other),
    }
    return made[tampering]()


@pytest.mark.processes
@pytest.mark.parametrize(
    ("tampering", "labels"),
    [
        (untouched, set()),
        (bit_of_file(b"cgroupDriver: systemd"), {ROOT}),
        (bit_of_data, {ROOT}),
        (bit_of_tree, {HASH}),
        (changed_grub_config, {BOOT}),
        (changed_grub_config_signed_anew, {BOOT}),
        ("grub.cfg", {BOOT}),
        ("kernel", {BOOT}),
        ("GRUB", {EFI_SYSTEM}),
        ("shim", {EFI_SYSTEM}),
        ("root", {ROOT, HASH}),
    ],
)
def test_only_what_is_said_changes(
    originals: tuple[SyntheticImage, SyntheticImage],
    tmp_path: Path,
    tampering: Tampering | str,
    labels: set[str],
) -> None:
    original, other = originals
    image = copy(original, tmp_path)
    (_of(other, tampering) if isinstance(tampering, str) else tampering)(image)
    changed = {part.label for part in image.partitions if image.read(part.label) != original.read(part.label)}
    assert changed == labels


def test_what_is_missing_is_said(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(command, "missing", lambda: {"qemu-system-x86_64": "qemu-system-x86", "/OVMF": "ovmf"})
    assert command.main([]) == 4
    assert capsys.readouterr().out.splitlines() == [
        "soak needs qemu-system-x86_64, /OVMF",
        "On Debian: apt-get install --no-install-recommends ovmf qemu-system-x86",
    ]


def test_a_folder_without_a_kernel_is_told(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.setattr(command, "missing", dict)
    assert command.main(["--kernel-root", str(tmp_path)]) == 4
    assert "--kernel-root" in capsys.readouterr().out
