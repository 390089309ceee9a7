"""GnuPG on a home of its own: keys that are of no use are refused, and nothing stays behind."""

import os
import stat
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import psutil
import pytest

from brqos.errors import ConfigurationError, ToolError
from brqos.image.repack.signing import private_folder as private
from brqos.image.repack.signing.gpg import GnuPg, gnupg
from brqos.image.repack.signing.private_folder import private_folder

pytestmark = [pytest.mark.processes, pytest.mark.usefixtures("profile")]


def make(gpg: GnuPg, parameters: str) -> None:
    gpg._gpg("--gen-key", stdin=f"{parameters}\nName-Real: x\n%commit\n".encode())


def agents(home: Path) -> list[psutil.Process]:
    found = []
    for process in psutil.process_iter(["cmdline"]):
        if str(home) in " ".join(process.info["cmdline"] or ()):
            found.append(process)
    return found


def test_a_signature_is_good_under_its_key_and_no_other(profile: Path) -> None:
    with gnupg() as signer, gnupg() as checker:
        signer.take(profile / "config-sign.key")
        fingerprint = signer.secret_key()
        signature = signer.sign(b"set default=0\n", fingerprint)
        assert checker.check(b"set default=0\n", signature) is None
        checker.take_public(signer.export_public(fingerprint))
        assert checker.check(b"set default=0\n", signature) == fingerprint
        assert checker.check(b"set default=1\n", signature) is None
        assert checker.check(b"set default=0\n", b"nothing of the kind") is None
        # RFC 4880, 5.2.3: version 4, a signature of a binary document, RSA, SHA-512.
        assert signature[3:7] == bytes([4, 0, 1, 10])


def test_nothing_stays(profile: Path) -> None:
    with pytest.raises(KeyboardInterrupt), gnupg() as gpg:
        gpg.take(profile / "config-sign.key")
        home = gpg.home
        assert stat.S_IMODE(home.stat().st_mode) == 0o700
        assert agents(home)
        raise KeyboardInterrupt
    assert not home.exists()
    # The agent was told to end and does so by itself.
    for _ in range(100):
        if not agents(home):
            break
        time.sleep(0.05)
    assert not agents(home)


def test_the_users_own_keys_are_not_touched(profile: Path, home: Path) -> None:
    with gnupg() as gpg:
        gpg.take(profile / "config-sign.key")
        gpg.sign(b"x", gpg.secret_key())
    assert not list(home.iterdir())


@pytest.mark.parametrize(
    ("parameters", "why"),
    [
        ("Key-Type: EDDSA\nKey-Curve: ed25519\n%no-protection", "no RSA key"),
        ("Key-Type: RSA\nKey-Length: 1024\nExpire-Date: 20200102T000000\n%no-protection", "expired"),
    ],
)
def test_keys_of_no_use_to_grub(parameters: str, why: str) -> None:
    with gnupg() as gpg:
        if "Expire" in parameters:
            parameters = f"{parameters}\nCreation-Date: 20200101T000000"
        make(gpg, parameters)
        with pytest.raises(ConfigurationError, match="cannot be used") as caught:
            gpg.secret_key()
        assert why in caught.value.why


def test_no_key_and_several(profile: Path) -> None:
    with gnupg() as gpg:
        with pytest.raises(ConfigurationError) as caught:
            gpg.secret_key()
        assert "It has 0 secret keys" in caught.value.why
        gpg.take(profile / "config-sign.key")
        make(gpg, "Key-Type: EDDSA\nKey-Curve: ed25519\n%no-protection")
        with pytest.raises(ConfigurationError) as caught:
            gpg.secret_key()
        assert "It has 2 secret keys" in caught.value.why


def test_a_public_key_only(profile: Path) -> None:
    with gnupg() as gpg, gnupg() as other:
        gpg.take(profile / "config-sign.key")
        other.take_public(gpg.export_public(gpg.secret_key()))
        with pytest.raises(ConfigurationError, match="cannot be used"):
            other.secret_key()


def test_a_key_with_a_passphrase(tmp_path: Path) -> None:
    with gnupg() as gpg:
        # Otherwise the agent first finds out how often it can hash within a tenth of a second.
        (gpg.home / "gpg-agent.conf").write_text("s2k-count 1024\n")
        words = ("--pinentry-mode", "loopback", "--passphrase-fd", "0", "--quick-gen-key", "x", "rsa1024", "sign")
        gpg._gpg(*words, stdin=b"secret\n")
        gpg.stop()
        with pytest.raises(ConfigurationError, match="could not be signed") as caught:
            gpg.sign(b"x", gpg.secret_key())
    assert "passphrase" in caught.value.todo


def test_no_key_at_all(tmp_path: Path) -> None:
    (tmp_path / "config-sign.key").write_text("nothing")
    with gnupg() as gpg, pytest.raises(ConfigurationError, match="cannot be imported"):
        gpg.take(tmp_path / "config-sign.key")


def test_without_gnupg(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ToolError, match="gpg"), gnupg() as gpg:
        gpg.secret_key()


def test_a_private_folder_is_in_memory_where_there_is_a_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # Short enough for the path of a socket in it.
    monkeypatch.setattr(private, "_LONGEST", 200)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    with private_folder() as folder:
        assert folder.parent == tmp_path
    monkeypatch.setattr(private, "_LONGEST", 3)
    with private_folder() as folder:
        assert folder.parent == Path("/tmp")
    assert not list(tmp_path.iterdir())


def test_keys_and_agent_of_a_run_that_was_killed_are_removed_by_the_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(private, "_LONGEST", 200)
    with tempfile.TemporaryDirectory() as short:
        monkeypatch.setenv("XDG_RUNTIME_DIR", short)
        code = (
            "import os; from brqos.image.repack.signing.gpg import gnupg\n"
            "with gnupg() as gpg: gpg.make_key('killed'); os.kill(os.getpid(), 9)"
        )
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
        subprocess.run([sys.executable, "-c", code], env=environment, check=False)
        (left,) = Path(short).iterdir()
        assert list(left.glob("private-keys-v1.d/*.key"))
        running = agents(left)
        assert running
        with private_folder() as other, private_folder() as folder:
            # What is in use stays.
            assert {*Path(short).iterdir()} == {other, folder}
        assert not list(Path(short).iterdir())
        assert not any(agent.is_running() and agent.status() != psutil.STATUS_ZOMBIE for agent in running)


def test_an_agent_that_takes_its_files_away_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    removed = []
    real = private.shutil.rmtree

    def late(folder: Path, **words: bool) -> None:
        removed.append(folder)
        if len(removed) > 2:
            real(folder, **words)

    monkeypatch.setattr(private.shutil, "rmtree", late)
    with private_folder() as folder:
        pass
    assert not folder.exists()
