"""`.vmlinuz.hmac`: the kernel's checksum of itself, which FIPS variants check while they boot.

twoliter's imghelper, `generate_hmac` (0.0.6 to 0.5.0): HMAC-SHA512 over the kernel as it is after signing, with a key
that is the same everywhere (dracut's fips module has it too), written as `<hexadecimal digits>  vmlinuz` and a newline.
"""

import hmac

_KEY = b"FIPS-FTW-RHT2009"


def vmlinuz_hmac(vmlinuz: bytes) -> bytes:
    """The content of `.vmlinuz.hmac` for a kernel."""
    return f"{hmac.new(_KEY, vmlinuz, 'sha512').hexdigest()}  vmlinuz\n".encode()
