"""Who may use an AMI."""

import threading
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from brqos.ami.publication import Publication, Subject
from brqos.ami.publishing import sharing
from brqos.ami.publishing.sharing import plan_sharing, share, wanted_grants, wanted_readers
from brqos.aws.ec2 import DescribedSnapshot
from brqos.aws.errors import AwsCallError, ErrorKind
from brqos.aws.image_attributes import BlockPublicAccess, Grants
from brqos.aws.retry import StoppedError
from brqos.errors import AwsError

from ..conftest import REGION, Recorder
from ..worlds import SUBJECT

ACCOUNTS = ("111122223333", "222233334444", "333344445555")
ORGANIZATION = "arn:aws:organizations::111122223333:organization/o-abcdefghij"
OU = "arn:aws:organizations::111122223333:ou/o-abcdefghij/ou-abcd-12345678"
KEY = f"arn:aws:kms:{REGION}:111122223333:key/1234"
IMAGE = "ami-1"
SNAPSHOTS = ("snap-1", "snap-2")

some = st.lists(st.sampled_from(ACCOUNTS), unique=True).map(tuple)
publications = st.builds(
    Publication,
    subject=st.just(Subject(**SUBJECT)),
    accounts=some,
    organizations=st.sampled_from([(), (ORGANIZATION,)]),
    ous=st.sampled_from([(), (OU,)]),
    public=st.booleans(),
    share_snapshots=st.booleans(),
)
grants = st.builds(
    Grants,
    st.frozensets(st.sampled_from(ACCOUNTS)),
    st.frozensets(st.just(ORGANIZATION)),
    st.frozensets(st.just(OU)),
    st.booleans(),
)


def wishes(**fields: Any) -> Publication:
    return Publication(subject=Subject(**SUBJECT), **fields)


def joined(one: Grants, other: Grants) -> Grants:
    return Grants(
        one.accounts | other.accounts,
        one.organizations | other.organizations,
        one.ous | other.ous,
        one.public or other.public,
    )


class Account:
    """An image with two snapshots, and who may use them; `refuses` is what sharing is answered with."""

    region = REGION

    def __init__(self, *, kms_key: str | None = None, refuses: str = "", deaf: bool = False) -> None:
        self.image = Grants()
        self.readers = dict.fromkeys(SNAPSHOTS, Grants())
        self.kms_key = kms_key
        self.refuses = refuses
        self.deaf = deaf
        self.block: BlockPublicAccess | AwsCallError = BlockPublicAccess("unblocked")
        self.snapshot_block = BlockPublicAccess("unblocked")
        self.calls: list[str] = []

    def launch_permissions(self, image_id: str) -> Grants:
        return self.image

    def snapshot_permissions(self, snapshot_id: str) -> Grants:
        return self.readers[snapshot_id]

    def share_image(self, image_id: str, added: Grants) -> None:
        self._refuse("ModifyImageAttribute")
        self.calls.append(f"image: {', '.join(added.names)}")
        if not self.deaf:
            self.image = joined(self.image, added)

    def share_snapshot(self, snapshot_id: str, added: Grants) -> None:
        if added:
            self._refuse("ModifySnapshotAttribute")
            self.calls.append(f"{snapshot_id}: {', '.join(added.names)}")
        self.readers[snapshot_id] = joined(self.readers[snapshot_id], added)

    def _refuse(self, operation: str) -> None:
        if self.refuses:
            raise AwsCallError(operation, kind=ErrorKind.OTHER, code=self.refuses, why="It is encrypted.")

    def block_public_access(self) -> BlockPublicAccess:
        if isinstance(self.block, AwsCallError):
            raise self.block
        return self.block

    def block_public_snapshots(self) -> BlockPublicAccess:
        return self.snapshot_block

    def snapshot(self, snapshot_id: str) -> DescribedSnapshot:
        encrypted = self.kms_key is not None
        return DescribedSnapshot(snapshot_id, "completed", "", 2, encrypted, {}, self.kms_key)


def apply(account: Account, publication: Publication, monitor: Recorder) -> tuple[str, ...]:
    account.calls.clear()
    return share(IMAGE, SNAPSHOTS, publication, account, account, monitor)  # type: ignore[arg-type]


@given(publications, grants, grants)
def test_nothing_is_added_twice_and_nothing_is_missing(wanted: Publication, image: Grants, snapshot: Grants) -> None:
    snapshot = replace(snapshot, organizations=frozenset(), ous=frozenset())
    plan = plan_sharing(wanted, image, {"snap-1": snapshot})
    after, readers = joined(image, plan.image), joined(snapshot, plan.snapshots["snap-1"])
    assert not wanted_grants(wanted) - after
    assert not wanted_readers(wanted) - readers
    assert not plan.image - wanted_grants(wanted)
    assert set(plan.image.names).isdisjoint(image.names)
    assert set(plan.extras.names) == set(image.names) - set(wanted_grants(wanted).names)
    assert not plan.snapshots["snap-1"].organizations
    assert not plan_sharing(wanted, after, {"snap-1": readers}), "then nothing is left to be done"
    if not wanted.share_snapshots:
        assert not plan.snapshots["snap-1"]


def test_snapshots_come_first_and_get_accounts_alone(monitor: Recorder) -> None:
    account = Account()
    publication = wishes(
        accounts=ACCOUNTS[:2], organizations=(ORGANIZATION,), ous=(OU,), share_snapshots=True, public=True
    )
    names = (*ACCOUNTS[:2], ORGANIZATION, OU, "all")
    assert apply(account, publication, monitor) == names
    readers = f"{ACCOUNTS[0]}, {ACCOUNTS[1]}, all"
    assert account.calls == [f"snap-1: {readers}", f"snap-2: {readers}", f"image: {', '.join(names)}"]
    assert apply(account, publication, monitor) == names
    assert account.calls == []


def test_snapshots_are_left_alone_unless_asked_for(monitor: Recorder) -> None:
    account = Account()
    assert apply(account, wishes(accounts=ACCOUNTS[:1]), monitor) == ACCOUNTS[:1]
    assert account.calls == [f"image: {ACCOUNTS[0]}"]


def test_others_stay_and_are_told(monitor: Recorder) -> None:
    account = Account()
    account.image = Grants(frozenset(ACCOUNTS[2:]), public=True)
    assert apply(account, wishes(accounts=ACCOUNTS[:1]), monitor) == (ACCOUNTS[0], ACCOUNTS[2], "all")
    assert any("is also shared with 333344445555" in note for note in monitor.notes)
    assert len(monitor.warnings) == 1
    assert "is public, which was not asked for" in monitor.warnings[0]
    assert "--launch-permission 'Remove=[{Group=all}]'" in monitor.warnings[0]


@pytest.mark.parametrize(
    ("managed_by", "todo"),
    [("account", "disable-image-block-public-access"), ("declarative-policy", "manages the organization's policies")],
)
def test_public_is_refused_where_the_account_blocks_it(monitor: Recorder, managed_by: str, todo: str) -> None:
    account = Account()
    account.block = BlockPublicAccess("block-new-sharing", managed_by)
    with pytest.raises(AwsError, match="blocks public access") as raised:
        apply(account, wishes(accounts=ACCOUNTS, public=True, share_snapshots=True), monitor)
    assert account.calls == []
    assert todo in raised.value.todo
    # What is public already is not asked about again: the block concerns new sharing only.
    account.image = Grants(public=True)
    assert "all" in apply(account, wishes(accounts=ACCOUNTS, public=True), monitor)


def test_public_snapshots_have_a_block_of_their_own(monitor: Recorder) -> None:
    account = Account()
    account.snapshot_block = BlockPublicAccess("block-all-sharing")
    with pytest.raises(AwsError, match="blocks public access") as raised:
        apply(account, wishes(public=True, share_snapshots=True), monitor)
    assert "disable-snapshot-block-public-access" in raised.value.todo
    assert apply(account, wishes(public=True), monitor) == ("all",)


def test_who_may_not_ask_for_the_block_is_told_by_the_sharing(monitor: Recorder) -> None:
    account = Account()
    account.block = AwsCallError("no", kind=ErrorKind.ACCESS_DENIED)
    assert apply(account, wishes(public=True), monitor) == ("all",)
    account = Account()
    account.block = AwsCallError("no", kind=ErrorKind.EXPIRED)
    with pytest.raises(AwsCallError, match="no"):
        apply(account, wishes(public=True), monitor)


def test_encrypted_is_never_public(monitor: Recorder) -> None:
    account = Account(kms_key=KEY)
    with pytest.raises(AwsError, match="cannot be made public") as raised:
        apply(account, wishes(public=True), monitor)
    assert "snap-1, snap-2" in raised.value.why
    assert account.calls == []


@pytest.mark.parametrize("code", ["InvalidParameter", "OperationNotPermitted", "UnsupportedOperation"])
def test_the_default_key_cannot_be_shared(monitor: Recorder, code: str) -> None:
    with pytest.raises(AwsError, match="cannot be shared") as raised:
        apply(Account(kms_key=KEY, refuses=code), wishes(accounts=ACCOUNTS), monitor)
    assert KEY in raised.value.what
    assert "alias/aws/ebs" in raised.value.why
    assert f"--kms-key {REGION}=" in raised.value.todo


@pytest.mark.parametrize(("key", "code"), [(None, "InvalidParameter"), (KEY, "UnauthorizedOperation")])
def test_other_refusals_stay_what_they_are(monitor: Recorder, key: str | None, code: str) -> None:
    with pytest.raises(AwsCallError) as raised:
        apply(Account(kms_key=key, refuses=code), wishes(accounts=ACCOUNTS), monitor)
    assert raised.value.code == code


def test_who_gets_an_encrypted_ami_needs_the_key(monitor: Recorder) -> None:
    apply(Account(kms_key=KEY), wishes(accounts=ACCOUNTS), monitor)
    assert sum(KEY in note for note in monitor.notes) == 1


def test_sharing_that_does_not_take(monitor: Recorder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sharing, "_TOLD_SECONDS", 0.2)
    with pytest.raises(AwsError, match="does not tell that ami-1") as raised:
        apply(Account(deaf=True), wishes(accounts=ACCOUNTS[:1], share_snapshots=True), monitor)
    assert f"{ACCOUNTS[0]} for snap-1" in raised.value.why


def test_who_shares_nothing_need_not_be_allowed_to_ask(monitor: Recorder, monkeypatch: pytest.MonkeyPatch) -> None:
    account = Account()

    def refuse(_: str) -> Grants:
        raise AwsCallError("no", kind=ErrorKind.ACCESS_DENIED)

    monkeypatch.setattr(account, "launch_permissions", refuse)
    assert apply(account, wishes(), monitor) == ()
    with pytest.raises(AwsCallError, match="no"):
        apply(account, wishes(accounts=ACCOUNTS), monitor)


def test_waiting_ends_when_it_is_called_off(monitor: Recorder) -> None:
    stop = threading.Event()
    stop.set()
    account = Account(deaf=True)
    with pytest.raises(StoppedError):
        share(IMAGE, SNAPSHOTS, wishes(accounts=ACCOUNTS), account, account, monitor, stop=stop)  # type: ignore[arg-type]
