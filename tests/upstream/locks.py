"""A real Twoliter.lock."""

# Of Bottlerocket v1.50.0 (8037802).
LOCK = """\
schema-version = 2
project-vendor = "Bottlerocket"

[sdk]
name = "bottlerocket-sdk"
version = "0.65.1"
vendor = "bottlerocket"
source = "public.ecr.aws/bottlerocket/bottlerocket-sdk:v0.65.1"
digest = "zeBarGgXhYNUsJTDFhZFjEBetInWPlVBQ8oi2j0/IKk="

[[kit]]
name = "bottlerocket-kernel-kit"
version = "4.4.2"
vendor = "bottlerocket"
source = "public.ecr.aws/bottlerocket/bottlerocket-kernel-kit:v4.4.2"
digest = "zHju2fZRHVfNdirPE0a1LxEkNnSIF8WbHkUOk8gFS88="

[[kit]]
name = "bottlerocket-core-kit"
version = "10.9.0"
vendor = "bottlerocket"
source = "public.ecr.aws/bottlerocket/bottlerocket-core-kit:v10.9.0"
digest = "+OIyEEdCGL2E8+GZUzcEnnspggdLmjV1R6VH1R3C0Cg="
"""
