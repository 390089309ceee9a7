"""Where a run of OpenPGP packets ends: GRUB's `.pubkey` is one that is filled up with zeros.

RFC 4880, section 4.2: a packet begins with a byte whose highest bit is set, which none of zeros has. GRUB skips zeros
(grub-core/commands/pgp.c, `read_packet_header`), gpg refuses them.
"""

from brqos.errors import ConfigurationError


def packets(section: bytes) -> bytes:
    """The packets at the beginning, without the zeros behind them; raises ConfigurationError for anything else."""
    at = 0
    while at < len(section) and section[at]:
        at = _end_of_packet(section, at)
    if at > len(section) or any(section[at:]):
        raise _damaged()
    return section[:at]


def _end_of_packet(data: bytes, at: int) -> int:
    tag = data[at]
    if not tag & 0x80:
        raise _damaged()
    try:
        if tag & 0x40:
            begin, length = _new_length(data, at + 1)
        else:
            # 0, 1 and 2: so many bytes of length, as a power of two; 3: up to the end, which no key uses.
            width = {0: 1, 1: 2, 2: 4}[tag & 3]
            begin, length = at + 1 + width, int.from_bytes(data[at + 1 : at + 1 + width])
    except (KeyError, IndexError):
        raise _damaged() from None
    return begin + length


def _new_length(data: bytes, at: int) -> tuple[int, int]:
    first = data[at]
    if first < 192:
        return at + 1, first
    if first < 224:
        return at + 2, ((first - 192) << 8) + data[at + 1] + 192
    if first == 255:
        return at + 5, int.from_bytes(data[at + 1 : at + 5])
    raise _damaged()


def _damaged() -> ConfigurationError:
    return ConfigurationError("GRUB's public key is not one that GnuPG exported", todo="Take the image anew.")
