"""Signing by cosign: by a stand-in, and where it is installed by itself, which then has to take our envelopes too."""

import base64
import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from brqos import process
from brqos.aws.regions import AwsRegions
from brqos.aws.session import AwsSession
from brqos.config.attest import Signer
from brqos.errors import ConfigurationError, ToolError
from brqos.monitor import Silent
from brqos.process import Completed
from brqos.provenance import cosign, pem_key
from brqos.provenance.documents import PROVENANCE_ENVELOPE, SBOM_ENVELOPE, compose, signed, write
from brqos.provenance.signing import Wish, sign, verifier_of
from brqos.record import StoredBuild

from .builds import stored

DOCUMENTS = {PROVENANCE_ENVELOPE: "slsaprovenance1", SBOM_ENVELOPE: "cyclonedx"}
NOBODY = AwsRegions(AwsSession())


class StandIn:
    """Notes how it was called, and answers as cosign of that version does."""

    def __init__(self, version: str = "v2.4.3", status: int = 0, stderr: str = "", prints: bytes = b"") -> None:
        self.calls: list[list[str]] = []
        self.inputs: list[bytes | None] = []
        self._version = version
        self._told = (status, stderr, prints)

    def __call__(self, argv: list[str], *, stdin: bytes | None = None, **_: object) -> Completed:
        status, stderr, prints = self._told
        if argv[1] == "version":
            return Completed(tuple(argv), 0, json.dumps({"gitVersion": self._version}).encode(), "")
        self.calls.append(argv)
        self.inputs.append(stdin)
        if "--output-signature" in argv and not prints and status == 0:
            Path(argv[argv.index("--output-signature") + 1]).write_bytes(base64.b64encode(b"signature"))
        return Completed(tuple(argv), status, prints, stderr)


def stand_in(monkeypatch: pytest.MonkeyPatch, **told: object) -> StandIn:
    found = StandIn(**told)  # type: ignore[arg-type]
    monkeypatch.setattr(process, "run", found)
    return found


def test_what_cosign_is_asked_for(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("COSIGN_PASSWORD", "hush")
    called = stand_in(monkeypatch)
    assert cosign.sign(b"data", "cosign.key", tmp_path / "bundle").sig == b"signature"
    (argv,) = called.calls
    assert argv[:6] == ["cosign", "sign-blob", "--yes", "--key", "cosign.key", "--tlog-upload=false"]
    assert argv[-1] == "-", "what is signed comes on standard input"
    assert called.inputs == [b"data"]
    assert "hush" not in " ".join(argv)


def test_newer_versions_want_to_be_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    called = stand_in(monkeypatch, version="v3.0.2")
    cosign.sign(b"data", "cosign.key", tmp_path / "bundle")
    assert {"--use-signing-config=false", "--new-bundle-format=false"} <= set(called.calls[0])


def test_without_a_key_there_is_a_bundle_and_an_entry_in_the_log(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    called = stand_in(monkeypatch)
    cosign.sign(b"data", None, tmp_path / "bundle")
    assert "--tlog-upload=false" not in called.calls[0]
    assert "--key" not in called.calls[0]
    assert called.calls[0][3:5] == ["--bundle", str(tmp_path / "bundle")]
    who = cosign.Identity("ci@example.com", "https://issuer.example")
    assert cosign.verify_keyless(b"data", tmp_path / "bundle", who)
    assert "--certificate-identity" in called.calls[1]
    assert "--insecure-ignore-tlog=true" not in called.calls[1], "the log is all that says when it was signed"


@pytest.mark.parametrize(
    "bundle",
    [
        {
            "mediaType": "application/vnd.dev.sigstore.bundle.v0.3+json",
            "messageSignature": {"signature": "c2lnbmF0dXJl"},
        },
        {"base64Signature": "c2lnbmF0dXJl", "cert": "...", "rekorBundle": {}},
    ],
)
def test_the_signature_may_be_in_the_bundle_alone(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, bundle: dict[str, object]
) -> None:
    stand_in(monkeypatch, version="v3.0.2", prints=b"\n")
    (tmp_path / "bundle").write_text(json.dumps(bundle))
    assert cosign.sign(b"data", None, tmp_path / "bundle").sig == b"signature"
    (tmp_path / "bundle").write_text("{}")
    with pytest.raises(ConfigurationError, match="no signature"):
        cosign.sign(b"data", None, tmp_path / "bundle")
    with pytest.raises(ConfigurationError, match="no signature"):
        cosign.sign(b"data", "k", tmp_path / "none")


def test_failures(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    stand_in(monkeypatch, status=1, stderr="Error: reading key: no such file")
    with pytest.raises(ConfigurationError, match="no such file"):
        cosign.sign(b"data", "k", tmp_path / "b")
    with pytest.raises(ConfigurationError, match="could not verify"):
        cosign.verify(b"data", b"s", "awskms:///alias/x")
    stand_in(monkeypatch, status=1, stderr="Error: invalid signature when validating ASN.1 encoded signature")
    assert not cosign.verify(b"data", b"s", "awskms:///alias/x")
    stand_in(monkeypatch, prints=b"no base64!")
    with pytest.raises(ConfigurationError, match="no signature"):
        cosign.sign(b"data", "k", tmp_path / "b")


@pytest.mark.processes
def test_a_machine_without_cosign(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ToolError, match="cosign is not installed"):
        cosign.sign(b"data", "k", tmp_path / "b")


@pytest.fixture
def keys(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder with a key of cosign's own making."""
    # Not `tool`, which makes a failure of it in CI: Debian has it from 13 on only.
    if shutil.which("cosign") is None:
        pytest.skip("the program “cosign” is not installed")
    monkeypatch.setenv("COSIGN_PASSWORD", "a password")
    process.run(["cosign", "generate-key-pair"], cwd=tmp_path)
    yield tmp_path


def signed_build(keys: Path) -> StoredBuild:
    build = stored(keys / "build")
    documents = compose(build)
    write(build, documents)
    sign(build, documents, Wish(Signer.COSIGN, str(keys / "cosign.key")), NOBODY, Silent())
    return build


@pytest.mark.processes
def test_cosign_takes_what_it_signed_for_us(keys: Path) -> None:
    build = signed_build(keys)
    for file, kind in DOCUMENTS.items():
        for image in (build.folder / "images").glob("*.lz4"):
            argv = ["cosign", "verify-blob-attestation", "--key", keys / "cosign.pub", "--insecure-ignore-tlog",
                    "--type", kind, "--signature", build.path(file), image]  # fmt: skip
            assert "Verified OK" in process.run(argv).stderr
        (keys / "other").write_bytes(b"another image")
        assert process.run([*argv[:-1], keys / "other"], check=False).status != 0


@pytest.mark.processes
def test_what_cosign_signed_is_verified_without_it(keys: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    build = signed_build(keys)
    monkeypatch.setenv("ATTEST_KEY", (keys / "cosign.pub").read_text())
    verified = pem_key.verifier(keys / "cosign.pub")
    by_cosign = verifier_of("env://ATTEST_KEY", None, NOBODY)
    for file in DOCUMENTS:
        envelope = signed(build, file)
        assert envelope is not None
        assert verified(envelope.signed, envelope.signatures[0].sig)
        assert not verified(envelope.payload, envelope.signatures[0].sig), "the type is signed too"
        assert by_cosign(envelope, build.path(file))
        assert not cosign.verify(b"other", envelope.signatures[0].sig, str(keys / "cosign.pub"))


@pytest.mark.processes
def test_a_wrong_password_is_told(keys: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COSIGN_PASSWORD", "wrong")
    with pytest.raises(ConfigurationError, match="decryption failed"):
        signed_build(keys)
    assert not list(keys.glob("build/attestations/*.dsse.json")), "one envelope alone would look signed"
    assert "COSIGN_PASSWORD" in os.environ
