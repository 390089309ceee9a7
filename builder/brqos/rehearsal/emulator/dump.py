"""All that a store holds, in plain values."""

from dataclasses import asdict
from typing import Any

from brqos.rehearsal.emulator.codebuild.state import Batch
from brqos.rehearsal.emulator.parameters import Parameter
from brqos.rehearsal.emulator.records import Image, Snapshot
from brqos.rehearsal.emulator.s3.state import S3Bucket
from brqos.rehearsal.emulator.store import Store


def dumped(store: Store, *, blocks: bool = True) -> dict[str, object]:
    """Images, snapshots, parameters, what runs, and where; with `blocks` each block's SHA-256 in hex."""
    now = store.clock()
    parameters = [
        {"account": account, "region": region, **_parameter(parameter)}
        for (account, region), known in store.parameters.places(store).items()
        for parameter in known.values()
    ]
    return {
        "now": now,
        "images": {image.id: _image(image, now) for image in store.images.values()},
        "snapshots": {item.id: _snapshot(item, now, blocks=blocks) for item in store.snapshots.values()},
        "parameters": parameters,
        "instances": {item.id: asdict(item) for item in store.compute.instances.values()},
        "launch_templates": {item.id: asdict(item) for item in store.compute.templates.values()},
        "subnets": {item.id: asdict(item) for item in store.compute.subnets.values()},
        "clusters": [
            {"account": account, "region": region, "cluster": cluster.told, "nodegroups": cluster.nodegroups}
            for (account, region), known in store.clusters.items()
            for cluster in known.values()
        ],
        "buckets": {bucket.name: _bucket(bucket) for bucket in store.s3.known.values()},
        "roles": {role.arn: asdict(role) for role in store.roles_of_iam.known.values()},
        "projects": {project.arn: project.told for project in store.codebuild.projects.values()},
        "batches": {batch.id: _batch(batch) for batch in store.codebuild.batches.values()},
    }


def _bucket(bucket: S3Bucket) -> dict[str, Any]:
    return {
        "region": bucket.region,
        "owner": bucket.owner,
        "settings": {name: document.decode(errors="replace") for name, document in bucket.settings.items()},
        "objects": {key: len(stored.data) for key, stored in sorted(bucket.objects.items())},
    }


def _batch(batch: Batch) -> dict[str, Any]:
    return {
        "project": batch.project["name"],
        "region": batch.region,
        "state": batch.state,
        "phase": batch.phases[-1].type,
        "builds": {name: {"id": build.id, "state": build.state} for name, build in batch.builds.items()},
    }


def _image(image: Image, now: float) -> dict[str, Any]:
    return {
        "region": image.region,
        "owner": image.owner,
        "state": image.state(now),
        "attributes": image.attributes,
        "mappings": image.mappings,
        "snapshots": list(image.snapshots()),
        "tags": image.tags,
        "permissions": [{grant.kind: grant.value} for grant in sorted(image.permissions)],
        "created_at": image.created_at,
        "deprecated_at": image.deprecated_at,
        "protection": image.protection,
    }


def _snapshot(item: Snapshot, now: float, *, blocks: bool) -> dict[str, Any]:
    return {
        "region": item.region,
        "owner": item.owner,
        "state": item.state(now),
        "sealed": item.sealed_at is not None,
        "volume_gib": item.volume_gib,
        "description": item.description,
        "tags": item.tags,
        "encrypted": item.encrypted,
        "kms_key": item.kms_key,
        "permissions": sorted(item.permissions),
        "block_count": len(item.blocks),
        **({"blocks": {str(index): item.blocks[index].hex() for index in sorted(item.blocks)}} if blocks else {}),
    }


def _parameter(parameter: Parameter) -> dict[str, Any]:
    latest = parameter.latest
    return {
        "name": parameter.name,
        "value": latest.value,
        "version": latest.number,
        "type": latest.type,
        "data_type": latest.data_type,
        "tags": parameter.tags,
        "labels": sorted(latest.labels),
    }
