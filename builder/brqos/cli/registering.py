"""What `brqos register` does with the images of a build or with image files: show, verify, or publish."""

import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from brqos.ami.everywhere import Outcome, everywhere
from brqos.ami.inspection.published import inspect_published
from brqos.ami.model import RegionAmi
from brqos.ami.plan import AmiPlan, plan_amis
from brqos.ami.policy.permissions import Findings, probe_permissions
from brqos.ami.publishing.amis_file import check_writable, try_to_write_amis
from brqos.ami.release import release
from brqos.ami.request import AmiRequest, ImageFiles, read_uefi_data
from brqos.ami.setting import RegionSetting, settings_for
from brqos.ami.tags import check_tags
from brqos.ami.upload.unfinished import check_unchanged, drop_unfinished
from brqos.ami.wishes import check_confirmed, check_wishes
from brqos.cli.ami_flags import AmiFlags
from brqos.cli.registered import show_inspection, show_plan, show_released, show_there_already
from brqos.config.ami import AmiSpec
from brqos.config.resolve import resolve_attest
from brqos.console import Console
from brqos.errors import AwsError, UsageError
from brqos.image.hashing import hash_image
from brqos.image.notice import has_partition_table, refuse_rehearsed_image
from brqos.locks import lock_of, locked, named_lock
from brqos.pipeline.attest import attest_build, check_signing, tagging_calls
from brqos.pipeline.register import plans_of_build, register_build, registrable_build, surroundings_of
from brqos.pipeline.surroundings import Surroundings, aws_of
from brqos.record import StoredBuild

_OMITTED_ZEROS = {
    "os": "Zero blocks of the OS image are not sent. That takes it that dm-verity ignores them (ignore_zero_blocks), as"
    " Bottlerocket's does: on an encrypted volume they read as garbage.",
    "data": "Zero blocks of the data image are not sent. That takes it that no volume of this AMI will ever be"
    " encrypted, not even by an account's default at launch: there they would read as garbage.",
}


class Registering:
    """One run of the command; `confirmed` says that a public AMI is meant."""

    def __init__(
        self,
        console: Console,
        flags: AmiFlags,
        config: Path | None,
        *,
        verify: bool,
        restart: bool,
        force: bool,
        dry_run: bool,
        confirmed: bool,
        amis_file: Path | None,
    ) -> None:
        self._console = console
        self._flags = flags
        self._config = config
        self._verify = verify
        self._restart = restart
        self._force = force
        self._dry_run = dry_run
        self._confirmed = confirmed
        self._amis_file = amis_file
        self._began = time.monotonic()

    def of_build(self, build: str | None, record: Path | None) -> None:
        """Register the images of a recorded build."""
        stored = registrable_build(build, record)
        spec = self._flags.resolved(self._config, stored.record.spec)
        self._check(spec)
        around = surroundings_of(stored, spec, resolve_attest(self._config, stored.record.spec))
        plans = plans_of_build(stored, spec)
        attested = around.spec.attest.enabled
        check_signing(around.spec.attest, around.aws, tools=not (self._dry_run or self._verify))
        if self._ends_here(plans, settings_for(spec.regions, around.aws, self._console), attested=attested):
            return
        with locked(lock_of(stored.folder), f"registering {stored.record.id}", wait=True, monitor=self._console):
            # Somebody else may have registered it while we waited.
            stored.reload()
            try:
                released = register_build(
                    stored, around, self._console, force=self._force, check_images=True, restart=self._restart
                )
            finally:
                self._write_amis(stored.record.amis)
        if released is None:
            amis = {region: ami for region, ami in stored.record.amis.items() if region in spec.regions}
            show_there_already(self._console, plans, amis)
            self._attest(stored, around)
            return
        show_released(self._console, plans, released, self._seconds)
        released.check()
        self._attest(stored, around)

    def of_files(self, files: ImageFiles, uefi_data: Path | None) -> None:
        """Register image files."""
        spec = self._flags.resolved(self._config)
        if not spec.regions:
            spec = spec.model_copy(update={"regions": (_configured_region(spec),)})
        if files.found:
            self._console.note(f"Using the data image beside it: {files.data}")
        self._check(spec)
        settings = settings_for(spec.regions, aws_of(spec), self._console)
        if not self._dry_run:
            # Reading the images takes a while: whoever has no credentials at all hears of it before.
            looked = everywhere(settings, lambda region: settings[region].account)
            if not looked.results:
                raise next(iter(looked.failures.values()))
        plans = plan_amis(self._request(files, uefi_data, spec))
        if not self._ends_here(plans, settings):
            self._release_files(plans, settings)

    def _release_files(self, plans: Sequence[AmiPlan], settings: Mapping[str, RegionSetting]) -> None:
        amis: dict[str, RegionAmi] = {}
        journals = settings[plans[0].region].journals
        lock = named_lock(plans[0].snapshots[0].image.sha256)
        with locked(lock, "registering that image", wait=True, monitor=self._console):
            if self._restart:
                drop_unfinished(plans, settings, journals)
            check_unchanged(plans, settings, journals)
            try:
                released = release(plans, settings, self._console, amis.__setitem__)
            finally:
                self._write_amis(amis)
        show_released(self._console, plans, released, self._seconds)
        released.check()

    def _attest(self, stored: StoredBuild, around: Surroundings) -> None:
        """Last, since nothing else waits for a signature; AMIs, record and result are there whatever becomes of it."""
        with locked(lock_of(stored.folder), f"attesting {stored.record.id}", wait=True, monitor=self._console):
            stored.reload()
            attest_build(stored, around, self._console)

    def _check(self, spec: AmiSpec) -> None:
        """Refuse at once what would else be refused after the images have been read."""
        if self._amis_file is not None and not (self._dry_run or self._verify):
            check_writable(self._amis_file)
        check_wishes(spec)
        check_confirmed(spec, confirmed=self._confirmed)
        check_tags(spec.tags, "--tag")
        for role in spec.omit_zero_blocks:
            self._console.note(_OMITTED_ZEROS[role])

    def _ends_here(
        self, plans: Sequence[AmiPlan], settings: Mapping[str, RegionSetting], *, attested: bool = False
    ) -> bool:
        """Show the plan or the inspection, where that is all that was asked for."""
        if self._dry_run:
            more = tagging_calls(plans) if attested else ()
            show_plan(self._console, plans, _permissions(plans, settings), more=more)
        elif self._verify:
            self._inspect(plans, settings)
        return self._dry_run or self._verify

    def _inspect(self, plans: Sequence[AmiPlan], settings: Mapping[str, RegionSetting]) -> None:
        amis, inspection, failures = inspect_published(plans, settings, self._console)
        show_inspection(self._console, plans, amis, inspection, failures)
        if not inspection.agreed or failures:
            wrong = [region for region in settings if region in failures or not inspection.agrees_in(region)]
            raise AwsError(
                f"what is published is not what was asked for in {', '.join(wrong)}",
                why="\n".join(f"{region}: {error}" for region, error in failures.items()),
                todo="The table has each difference. `brqos register` with the same options makes good what can be.",
            )

    def _request(self, files: ImageFiles, uefi_data: Path | None, spec: AmiSpec) -> AmiRequest:
        for file in files.by_role.values():
            refuse_rehearsed_image(file)
        if not has_partition_table(files.os):
            self._console.warn(f"{files.os} has no GPT: it does not look like the image of a disk, and will not boot")
        data = read_uefi_data(uefi_data) if uefi_data else None
        if data is None:
            self._console.note("Without --uefi-data the AMI starts with Secure Boot off.")
        return AmiRequest(
            images=tuple(hash_image(role, file, self._console) for role, file in files.by_role.items()),
            variant=files.variant,
            arch=files.arch,
            image_version=files.version,
            spec=spec,
            secure_boot=data is not None,
            uefi_data=data,
        )

    def _write_amis(self, amis: Mapping[str, RegionAmi]) -> None:
        if self._amis_file is not None:
            try_to_write_amis(self._amis_file, amis, self._console)

    @property
    def _seconds(self) -> float:
        return time.monotonic() - self._began


def _permissions(plans: Sequence[AmiPlan], settings: Mapping[str, RegionSetting]) -> Outcome[Findings] | None:
    """What is known of the permissions; None where there are no credentials to be probed."""
    if not all(setting.session.has_credentials() for setting in settings.values()):
        return None
    return probe_permissions(plans, settings)


def _configured_region(spec: AmiSpec) -> str:
    region = aws_of(spec).default.default_region()
    if region is None:
        raise UsageError(
            "no AWS region is given", todo="Give one with --region, for example eu-west-1; repeat it for several."
        )
    return region
