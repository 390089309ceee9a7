"""grub.cfg in the form in which twoliter's rpm2img (0.0.6 to 0.5.0) writes it."""

from .model import ImageOptions, Verity


def verity_table(verity: Verity) -> str:
    """The value of dm_verity_root: a device of dm-mod.create (kernel, admin-guide/device-mapper/dm-init.rst)."""
    return (
        f"root,,,ro,0 {verity.data_blocks * 8} verity 1 PARTUUID=$boot_uuid/PARTNROFF=1 PARTUUID=$boot_uuid/PARTNROFF=2"
        f" 4096 4096 {verity.data_blocks} 1 sha256 {verity.root_hash} {verity.salt}"
        " 2 restart_on_corruption ignore_zero_blocks"
    )


def grub_config(options: ImageOptions, verity: Verity) -> str:
    """The whole file. An image with a signing profile lets nobody edit the entry, and checks no more signatures.

    The lines of white space, where a feature is off, are upstream's too.
    """
    secure = options.profile is not None
    arguments = (
        " ".join(options.kernel_parameters),
        "bootconfig",
        "root=/dev/dm-0 rootwait ro",
        "raid=noautodetect",
        "random.trust_cpu=on",
        "selinux=1 enforcing=1",
        'dm-mod.create="$dm_verity_root"',
        "--",
        "systemd.log_target=journal-or-kmsg",
        "systemd.log_color=0",
    )
    lines = ['set superusers=""', 'set check_signatures="no"'] if secure else []
    lines += [
        'set default="0"',
        'set timeout="0"',
        f'set dm_verity_root="{verity_table(verity)}"',
        "",
        f'menuentry "Bottlerocket OS {options.version}" --unrestricted {{',
        "   linux ($root)/vmlinuz \\",
        *(f"       {argument} \\" for argument in arguments),
        "       systemd.show_status=true",
        "   initrd ($private)/bootconfig.data",
        "   boot",
    ]
    # A heredoc's "   ${FALLBACK}": three spaces of its own before the three of the first line.
    lines += ['      echo "rebooting in 30 seconds..."', "   sleep 30", "   reboot", ""] if secure else ["   "]
    return "\n".join([*lines, "}", ""])
