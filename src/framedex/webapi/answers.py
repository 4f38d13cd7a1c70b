"""From core objects to the shapes of the own API. Total functions; exact JSON texts stay exact."""

from __future__ import annotations

import json

import msgspec
from starlette.responses import Response

from framedex.core.clock import to_iso
from framedex.core.folders import Folder
from framedex.core.items import Item
from framedex.core.jobs import Job, UnitReceipt
from framedex.core.ports.catalog_metadata import MetadataVersion, Misfit, QuarantineCount, SchemaVersion
from framedex.core.registration import decode_unit
from framedex.services.imports import UsableIntegration
from framedex.webapi.schemas import (
    FolderOut,
    IntegrationOut,
    JobOut,
    MisfitOut,
    MisfitsOut,
    ReceiptItemOut,
    UnitCountsOut,
    UnitOut,
)

_FACTS = (
    "file_size",
    "mime_type",
    "width",
    "height",
    "duration",
    "fps",
    "frame_count",
    "pages",
    "audio_sample_rate",
    "audio_bit_depth",
    "audio_codec",
    "audio_num_channels",
    "dicom_instance_uid",
    "dicom_study_uid",
    "dicom_series_uid",
)


def json_response(
    body: object, *, status: int = 200, seq: int | None = None, headers: dict[str, str] | None = None
) -> Response:
    """An answer whose exact texts (`msgspec.Raw`) are written as they are."""
    found = dict(headers or {})
    if seq is not None:
        found["X-Framedex-Seq"] = str(seq)
    return Response(msgspec.json.encode(body), status, found, "application/json")


def item_body(item: Item, version: MetadataVersion | None) -> dict[str, object]:
    """`ItemOut`, with the exact text of the metadata."""
    facts: dict[str, object] = {name: value for name in _FACTS if (value := getattr(item, name)) is not None}
    if item.extra is not None:
        facts["extra"] = msgspec.Raw(item.extra.encode())
    return {
        "uuid": item.id,
        "folder_uuid": item.folder_id,
        "type": item.item_type.value,
        "name": item.name,
        "owner": item.owner,
        "url": item.url,
        "integration_uuid": item.integration_id,
        "is_child": item.is_child,
        "is_tombstone": item.is_tombstone,
        "facts_supplied": item.facts_supplied,
        "object_changed_at": None if item.object_changed_at is None else to_iso(item.object_changed_at),
        "facts": facts,
        "created_at": to_iso(item.created_at),
        "edited_at": to_iso(item.edited_at),
        "metadata": None if version is None else msgspec.Raw(version.text.encode()),
        "metadata_version": 0 if version is None else version.version,
    }


def metadata_body(version: MetadataVersion, seq: int | None) -> dict[str, object]:
    """`MetadataOut`."""
    return {"metadata": msgspec.Raw(version.text.encode()), "version": version.version, "seq": seq}


def version_body(version: MetadataVersion) -> dict[str, object]:
    """`VersionOut`."""
    return {
        "version": version.version,
        "edited_by": version.edited_by,
        "edited_at": to_iso(version.edited_at),
        "metadata": msgspec.Raw(version.text.encode()),
    }


def schema_body(version: SchemaVersion) -> dict[str, object]:
    """`SchemaOut`."""
    return {
        "version": version.version,
        "keys": msgspec.Raw(version.text.encode()),
        "edited_by": version.edited_by,
        "edited_at": to_iso(version.edited_at),
    }


#: `SchemaOut` while no schema was ever saved.
NO_SCHEMA: dict[str, object] = {"version": 0, "keys": {}, "edited_by": None, "edited_at": None}


def misfits_out(count: QuarantineCount) -> MisfitsOut:
    return MisfitsOut(key=count.key, reason=count.reason, count=count.count, samples=list(count.samples))


def misfit_out(misfit: Misfit) -> MisfitOut:
    return MisfitOut(
        item=misfit.item_id, frame=misfit.frame or None, key=misfit.key, reason=misfit.reason, sample=misfit.sample
    )


def folder_out(folder: Folder) -> FolderOut:
    return FolderOut(
        uuid=folder.id,
        parent_uuid=folder.parent_id,
        name=folder.name,
        description=folder.description,
        owner=folder.owner,
        role=None if folder.role is None else folder.role.value,
        path=[element.name for element in folder.path],
        created_at=to_iso(folder.created_at),
        edited_at=to_iso(folder.edited_at),
    )


def integration_out(usable: UsableIntegration) -> IntegrationOut:
    return IntegrationOut(
        uuid=usable.integration.id,
        title=usable.integration.title,
        kind=usable.integration.config.kind.value,
        role=usable.role.value,
        strict_client_only=usable.integration.config.strict_client_only,
    )


def job_out(job: Job, checked: int | None = None) -> JobOut:
    """`checked` is None in lists, where units are not counted one by one."""
    units = UnitCountsOut(
        total=job.units_total,
        pending=0 if job.state.is_final else job.units_pending,
        checked=checked,
        done=job.units_done,
        error=job.units_error,
        cancelled=job.units_cancelled,
    )
    return JobOut.model_validate(
        {
            "uuid": job.id,
            "kind": job.kind,
            "state": job.state.value,
            "title": job.title,
            "folder_uuid": job.folder_id,
            "dataset_uuid": job.dataset_id,
            "user_uuid": job.user_id,
            "units": units,
            "problems": list(job.problems),
            "created_at": to_iso(job.created_at),
            "finished_at": None if job.finished_at is None else to_iso(job.finished_at),
        }
    )


#: What a receipt of any kind of job may say, and has a field of its own.
_OF_EVERY_UNIT = frozenset({"urls", "items", "rows", "skipped", "progress", "error", "action"})


def unit_out(receipt: UnitReceipt) -> UnitOut:
    unit = decode_unit(receipt.payload)
    found = {} if receipt.receipt is None else json.loads(receipt.receipt)
    return UnitOut.model_validate(
        {
            "position": receipt.position,
            "state": receipt.state.name.lower(),
            "attempts": receipt.attempts,
            "type": unit.item_type.value,
            "path": unit.path,
            "urls": [ref.url for ref in unit.objects],
            "items": [ReceiptItemOut(uuid=uuid, name=name) for uuid, name in found.get("items", ())],
            "skipped": bool(found.get("skipped", False)),
            "progress": found.get("progress"),
            "error": found.get("error"),
            "details": {key: value for key, value in found.items() if key not in _OF_EVERY_UNIT},
        }
    )
