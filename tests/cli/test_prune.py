"""`brqos prune`, as scripts and people call it."""

import inspect
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

import pytest
from typer.testing import CliRunner

from ami.pruning import test_prune_emulator as emulated
from ami.pruning.prune_account import FOLDER, NOW, Account, Session, ami, image, snapshot, typical
from brqos.ami.pruning import look as prune_look
from brqos.ami.pruning.model import PruneRules
from brqos.ami.pruning.rules import check_regions, prune_rules
from brqos.ami.upload.journal import Begun, Journal, file_of, journal_folder
from brqos.aws.errors import ErrorKind
from brqos.aws.session import AwsSession
from brqos.aws.usage import ImageInstance
from brqos.cli import prune as command
from brqos.cli.main import app
from brqos.monitor import Silent
from brqos.rehearsal.emulator import Emulator

EU = ("--region", "eu-west-1")
GONE = [
    ami(2),
    f"{FOLDER}/image_version",
    f"{FOLDER}/image_id",
    "snap-data2",
    "snap-orphan",
    "snap-os2",
]

Brqos = Callable[..., Any]


@pytest.fixture(autouse=True)
def _clock(monkeypatch: pytest.MonkeyPatch) -> None:
    class Fixed(datetime):
        @classmethod
        def now(cls, tz: Any = None) -> datetime:
            return NOW.astimezone(tz or UTC)

    monkeypatch.setattr(prune_look, "datetime", Fixed)


@pytest.fixture
def use(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Let the command find these accounts, one a region."""

    def patch(*accounts: Account, region: str | None = None) -> None:
        class Found(Session):
            def __init__(self, profile: str | None = None, role: str | None = None) -> None:
                super().__init__(**dict(zip(("eu_west_1", "us_east_1"), accounts, strict=False)))

            def default_region(self) -> str | None:
                return region

        monkeypatch.setattr("brqos.aws.session.AwsSession", Found)

    return patch


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(command, "_can_ask", lambda: True)


def answer(words: tuple[str, ...], text: str | None) -> Any:
    return CliRunner().invoke(app, ["prune", *words], input=text)


def ids(entries: list[dict[str, Any]]) -> list[str]:
    return [entry["id"] for entry in entries]


def test_a_table_and_a_summary(brqos: Brqos, use: Any) -> None:
    account = typical()
    use(account)
    ran = brqos("prune", *EU, "--keep", 1, "--yes")
    lines = ran.out.splitlines()
    assert lines[0].split() == ["REGION", "ID", "NAME", "CREATED", "(UTC)", "GIB", "BECAUSE"]
    assert lines[1].split()[:7] == ["eu-west-1", ami(2), "image", "2", "2026-11-23", "12:00", "22"]
    assert lines[1].endswith("remove  older than the newest 1 of aws-k8s-1.29-memoryqos for x86_64")
    assert lines[2].endswith("keep    one of the newest 1 of aws-k8s-1.29-memoryqos for x86_64")
    # The row of an AMI that stays speaks for its snapshots.
    assert "snap-os1" not in ran.out
    told = "1 AMI, 3 snapshots and 2 SSM parameters (24 GiB of volumes) in 1 region"
    assert lines[-2:] == [f"To remove: {told}", f"Removed {told}."]
    assert ids_left(account) == [ami(1), "snap-data1", "snap-os1"]
    again = brqos("prune", *EU, "--keep", 1, "--yes")
    assert again.out.splitlines()[-1] == "Nothing to remove."


def ids_left(account: Account) -> list[str]:
    return sorted([*account.images, *account.snapshots, *account.values])


def test_json(brqos: Brqos, use: Any) -> None:
    account = typical()
    use(account)
    planned = brqos("prune", *EU, "--keep", 1, "--dry-run", "--json").json
    assert set(planned) == {"would_remove", "kept", "failed"}
    assert account.changes == []
    done = brqos("prune", *EU, "--keep", 1, "--yes", "--json").json
    assert set(done) == {"removed", "kept", "failed"}
    assert (done["removed"], done["kept"], done["failed"]) == (planned["would_remove"], planned["kept"], [])
    assert ids(done["removed"]) == GONE
    assert ids(done["kept"]) == [ami(1), "snap-data1", "snap-os1"]
    assert done["removed"][0] == {
        "kind": "ami",
        "region": "eu-west-1",
        "id": ami(2),
        "name": "image 2",
        "variant": "aws-k8s-1.29-memoryqos",
        "arch": "x86_64",
        "created": "2026-11-23T12:00:00+00:00",
        "gib": 22,
        "reason": "older than the newest 1 of aws-k8s-1.29-memoryqos for x86_64",
    }


def test_a_dry_run_for_people(brqos: Brqos, use: Any) -> None:
    account = typical()
    use(account)
    ran = brqos("prune", *EU, "--keep", 1, "--dry-run")
    assert ran.out.splitlines()[-1].startswith("Would remove 1 AMI, 3 snapshots")
    assert account.changes == []


def test_nothing_at_all(brqos: Brqos, use: Any) -> None:
    use(Account())
    assert brqos("prune", *EU, "--yes").out == "Nothing to remove.\n"
    assert brqos("prune", *EU, "--yes", "--json").json == {"removed": [], "kept": [], "failed": []}


def test_without_a_terminal_it_needs_yes(brqos: Brqos, use: Any) -> None:
    account = typical()
    use(account)
    ran = brqos("prune", *EU, code=2)
    assert ran.err.startswith("error: there is no terminal here to ask in, and pruning cannot be undone\n")
    assert "--dry-run" in ran.err
    assert "--yes" in ran.err
    assert account.calls == []


@pytest.mark.usefixtures("terminal")
@pytest.mark.parametrize(("text", "removes"), [("y\n", True), ("yes\n", True), ("n\n", False), ("\n", False)])
def test_in_a_terminal_it_asks(use: Any, text: str, removes: bool) -> None:
    account = typical()
    use(account)
    result = answer((*EU, "--keep", "1"), text)
    assert result.exit_code == 0, result.stderr
    assert "Remove all that? It cannot be undone." in result.stderr
    assert (ami(2) in account.images) is not removes
    assert result.stdout.splitlines()[-1].startswith("Removed 1 AMI" if removes else "Nothing was removed.")


@pytest.mark.usefixtures("terminal")
def test_no_answer_is_an_interrupt(use: Any) -> None:
    account = typical()
    use(account)
    result = answer((*EU, "--keep", "1"), "")
    assert (result.exit_code, account.changes) == (130, [])
    assert "error: interrupted" in result.stderr


@pytest.mark.usefixtures("terminal")
def test_a_question_needs_something_to_ask_about(use: Any) -> None:
    use(typical())
    assert "cannot be undone" not in answer((*EU, "--keep", "2", "--older-than", "100w"), None).stderr


@pytest.mark.usefixtures("terminal")
def test_whoever_is_asked_sees_what_about_with_json_too(use: Any) -> None:
    account = typical()
    use(account)
    result = answer((*EU, "--keep", "1", "--json"), "n\n")
    assert f"eu-west-1 ami {ami(2)} image 2: older than" in result.stderr
    assert '"removed": []' in result.stdout


def test_a_failure_of_one_thing(brqos: Brqos, use: Any) -> None:
    account = typical()
    account.fail("Delete snap-orphan", ErrorKind.ACCESS_DENIED)
    use(account)
    ran = brqos("prune", *EU, "--keep", 1, "--yes", "--json", code=7)
    assert ids(ran.json["removed"]) == [name for name in GONE if name != "snap-orphan"]
    (failed,) = ran.json["failed"]
    assert (failed["id"], failed["error"]) == ("snap-orphan", "AWS refused Delete snap-orphan")
    assert "error: 1 thing could not be removed" in ran.err
    assert "snap-orphan in eu-west-1: AWS refused" in ran.err


def test_a_region_that_cannot_be_looked_at(brqos: Brqos, use: Any) -> None:
    good, dark = typical(), Account()
    dark.fail("DescribeImages", *[ErrorKind.ACCESS_DENIED] * 2)
    use(good, dark)
    ran = brqos("prune", *EU, "--region", "us-east-1", "--keep", 1, "--yes", "--json", code=7)
    assert ids(ran.json["removed"]) == GONE
    assert ran.json["failed"] == [{"region": "us-east-1", "error": "AWS refused DescribeImages"}]
    alone = brqos("prune", "--region", "us-east-1", "--yes", code=7)
    assert alone.err.splitlines()[-1] == "error: AWS refused DescribeImages"


def test_both_kinds_of_failures(brqos: Brqos, use: Any) -> None:
    good, dark = typical(), Account()
    good.fail("Delete snap-orphan", ErrorKind.ACCESS_DENIED)
    dark.fail("DescribeImages", ErrorKind.ACCESS_DENIED)
    use(good, dark)
    ran = brqos("prune", *EU, "--region", "us-east-1", "--keep", 1, "--yes", code=7)
    assert "error: 1 thing could not be removed, and us-east-1 could not be pruned" in ran.err


def test_a_dry_run_fails_where_it_cannot_look(brqos: Brqos, use: Any) -> None:
    dark = Account()
    dark.fail("DescribeSnapshots", ErrorKind.CONNECTION)
    use(dark)
    ran = brqos("prune", *EU, "--dry-run", code=7)
    assert "Nothing to remove" not in ran.out


def test_what_is_in_use_stays(brqos: Brqos, use: Any) -> None:
    account = typical()
    account.instances_ = [ImageInstance("i-1", ami(2), "running")]
    use(account)
    kept = brqos("prune", *EU, "--keep", 1, "--yes", "--json").json["kept"]
    assert next(entry["reason"] for entry in kept if entry["id"] == ami(2)) == "in use: instance i-1 (running)"


def test_a_permission_that_is_missing_is_named(brqos: Brqos, use: Any) -> None:
    account = typical()
    account.fail("DescribeInstances", ErrorKind.ACCESS_DENIED)
    use(account)
    ran = brqos("prune", *EU, "--keep", 1, "--yes")
    assert "ec2:DescribeInstances is not allowed" in ran.out
    assert "warning: eu-west-1: which AMIs are in use is unknown, so all of them stay: ec2:DescribeInstances" in ran.err
    assert account.changes == ["Delete snap-orphan"]


def test_an_upload_of_this_machine_is_left_alone(brqos: Brqos, use: Any) -> None:
    begun = Begun(
        key="0" * 64,
        generation=0,
        snapshot="snap-orphan",
        region="eu-west-1",
        account="1" * 12,
        image=Path("/an/image.img"),
        sha256="0" * 64,
        blocks=1,
        started=0,
    )
    journal_folder().mkdir(parents=True)
    journal = Journal(file_of(journal_folder(), begun.key), Silent())
    journal.begin(begun)
    journal.close()
    account = typical()
    use(account)
    ran = brqos("prune", *EU, "--keep", 2, "--yes", "--json")
    assert ran.json["removed"] == []
    assert any(entry["reason"] == "an upload from this machine is under way" for entry in ran.json["kept"])


def test_the_configured_region(brqos: Brqos, use: Any) -> None:
    use(typical(), region="eu-west-1")
    assert len(brqos("prune", "--keep", 1, "--dry-run", "--json").json["would_remove"]) == len(GONE)
    use(typical())
    assert "no AWS region is given" in brqos("prune", "--yes", code=2).err


def test_the_defaults_are_those_of_the_rules() -> None:
    defaults = {name: option.default for name, option in inspect.signature(command.prune).parameters.items()}
    assert prune_rules(defaults["keep"], defaults["older_than"], None, None, protected=False, shared=False) == (
        PruneRules()
    )


def test_filters(brqos: Brqos, use: Any) -> None:
    use(Account(image(1), image(2), snapshot("snap-a", days=2.5)))
    rules = ("prune", *EU, "--keep", 0, "--dry-run", "--json")
    assert len(brqos(*rules).json["would_remove"]) == 3
    assert brqos(*rules, "--arch", "arm64").json == {"would_remove": [], "kept": [], "failed": []}
    assert len(brqos(*rules, "--arch", "amd64", "--variant", "aws-k8s-1.29").json["would_remove"]) == 3
    for age, number in {"61h": 2, "60h": 3, "3d": 2, "0h": 3, "1w": 2}.items():
        assert len(brqos(*rules, "--older-than", age).json["would_remove"]) == number, age


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        (("--region", "Mars"), 3, "“Mars” cannot stand for --region"),
        (("--older-than", "7"), 3, "“7” cannot stand for --older-than"),
        (("--older-than", "-1d"), 3, "“-1d” cannot stand for --older-than"),
        (("--older-than", "1y"), 3, "hours, days or weeks"),
        (("--older-than", "999999d"), 3, "cannot stand for --older-than"),
        (("--arch", "vax"), 3, "“vax” is not an architecture"),
        (("--variant", "a b"), 3, "“a b” cannot stand for --variant"),
        (("--role", "foo"), 3, "“foo” cannot stand for --role"),
        (("--role", ""), 3, "“” cannot stand for --role"),
        (("--role", "arn:aws:iam::1:user/x"), 3, "It is not the ARN of an IAM role."),
        (("--region", "cn-north-1"), 3, "eu-west-1 and cn-north-1 are in different partitions (aws and aws-cn)"),
        (("--variant", ""), 3, "“” cannot stand for --variant"),
    ],
)
def test_bad_input(brqos: Brqos, use: Any, words: tuple[str, ...], code: int, told: str) -> None:
    account = typical()
    use(account)
    ran = brqos("prune", *EU, "--yes", *words, code=code)
    assert told in ran.err
    assert (ran.out, account.calls) == ("", [])


def test_a_role(brqos: Brqos, use: Any) -> None:
    use(typical())
    ran = brqos("prune", *EU, "--dry-run", "--role", "arn:aws-cn:iam::111111111111:role/path/to/images")
    assert ran.out.splitlines()[-1].startswith("Would remove")


def test_a_word_for_a_role_is_no_bug_wherever_it_comes_from(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAANYBODY")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "x")
    assert AwsSession(role="foo").has_credentials()


def test_regions_of_one_other_partition() -> None:
    session = cast("AwsSession", Session())
    assert check_regions(["cn-north-1", "cn-northwest-1"], session) == ("cn-north-1", "cn-northwest-1")


@pytest.mark.parametrize("keep", ["-1", "x", "1.5", "10001"])
def test_a_wrong_number(keep: str) -> None:
    assert CliRunner().invoke(app, ["prune", *EU, "--yes", "--keep", keep]).exit_code == 2


def test_an_old_plan_is_looked_at_again(use: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    account = typical()
    use(account)
    monkeypatch.setattr(command, "_can_ask", lambda: True)

    def think(*_words: Any, **_options: Any) -> bool:
        account.instances_ = [ImageInstance("i-1", ami(2), "running")]
        monkeypatch.setattr("brqos.ami.pruning.regions.FRESH_SECONDS", -1.0)
        return True

    monkeypatch.setattr("typer.confirm", think)
    result = answer((*EU, "--keep", "1"), None)
    assert result.exit_code == 0, result.stderr
    assert account.changes == ["Delete snap-orphan"]
    assert result.stdout.splitlines()[-1] == "Removed 1 snapshot (2 GiB of volumes) in 1 region."


def test_interrupted_in_the_middle(brqos: Brqos, use: Any) -> None:
    account = typical()

    def interrupt(_snapshot: str) -> None:
        raise KeyboardInterrupt

    account.delete_snapshot = interrupt  # type: ignore[method-assign]
    use(account)
    ran = brqos("prune", *EU, "--keep", 1, "--yes", "--json", code=130)
    assert ids(ran.json["removed"]) == GONE[:3]
    assert all(entry["reason"] for entry in ran.json["kept"])
    assert "error: interrupted" in ran.err


@pytest.mark.loopback
def test_against_the_emulator(brqos: Brqos, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(prune_look, "datetime", datetime)
    with Emulator(delay=0, any_key=True) as emulator:
        monkeypatch.setenv("AWS_ENDPOINT_URL", emulator.endpoint)
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAANYBODY")
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "x")
        here, there = emulated.Account(emulator), emulated.Account(emulator, "us-east-1")
        words = ("prune", *EU, "--region", "us-east-1", "--keep", 1, "--json")
        planned = brqos(*words, "--dry-run").json["would_remove"]
        assert brqos(*words, "--yes").json["removed"] == planned
        assert (here.images, there.images) == ({here.newest}, {there.newest})
        told = brqos("prune", *EU, "--keep", 1, "--yes").out
        assert told.splitlines()[-1] == "Nothing to remove."
