"""Loads the sample data as a script of a user would: with the published SDK, call by call.

Each part can be done again: folders, groups, collections and the dataset are found by name, files by their address.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

from encord import EncordUserClient
from encord.collection import Collection
from encord.dataset import Dataset
from encord.metadata_schema import MetadataSchema
from encord.orm.dataset import LongPollingStatus, StorageLocation
from encord.orm.storage import DataGroupCarousel, DataGroupCustom, DataGroupGrid, StorageItemType
from encord.storage import StorageFolder

from tools.demo.places import LoadingFailed, Sample, say, warn
from tools.sample_data.workshop import Json

FOLDER = "Sample data"
_PATIENCE_S = 600
_SHOWN_ERRORS = 5
# Sent through the SDK's upload, everything else stays where it lies.
_UPLOADED = ("uploaded pictures", ("images/chelsea.png", "images/coffee.png", "images/rocket.jpg"))
_ADD_TYPED: Mapping[str, Callable[[MetadataSchema, str, Json], None]] = {
    "variant": lambda schema, key, kind: schema.add_scalar(key, data_type=kind["hint"]),
    "enum": lambda schema, key, kind: schema.add_enum(key, values=kind["values"]),
    "embedding": lambda schema, key, kind: schema.add_embedding(key, size=kind["size"]),
    "geospatial": lambda schema, key, _kind: schema.add_geospatial(key),
}

Titles = dict[str, UUID]


@dataclass(frozen=True, slots=True)
class Load:
    """What loading needs.

    Attributes:
        integration: UUID of the one through which the server reads the files.
        media: where the files lie, for uploads.
    """

    client: EncordUserClient
    sample: Sample
    integration: str
    media: Path

    @property
    def plan(self) -> Json:
        return self.sample.plan


def load(job: Load) -> int:
    """Loads what is not there yet, and answers how many items there are; says each step.

    Raises:
        LoadingFailed: a file could not be registered.
    """
    set_schema(job)
    top = top_folder(job.client)
    titles = register(job, top)
    groups = subfolder(top, "groups")
    titles |= upload_group(job, groups)
    titles |= make_data_groups(job, groups, titles)
    fill_collections(job, top, titles)
    fill_dataset(job, titles)
    return len(titles)


def set_schema(job: Load) -> None:
    """Adds the keys that are missing."""
    schema = job.client.metadata_schema()
    wanted: Json = job.plan["schema"]
    # The SDK reads keys of type user and has no call that adds one; such a key stays untyped.
    typed = {key: kind for key, kind in wanted.items() if kind["ty"] in _ADD_TYPED}
    for key, kind in typed.items():
        if not schema.has_key(key):
            _ADD_TYPED[kind["ty"]](schema, key, kind)
    schema.save()
    say("schema", f"{len(typed)} keys, an embedding of {wanted['color_layout']['size']} numbers among them")


def top_folder(client: EncordUserClient) -> StorageFolder:
    """The folder that holds everything."""
    found = (folder for folder in client.list_storage_folders(search=FOLDER) if folder.name == FOLDER)
    return next(found, None) or client.create_storage_folder(FOLDER, description="What `make demo` loads")


def subfolder(top: StorageFolder, name: str) -> StorageFolder:
    """A folder of the top folder."""
    found = (folder for folder in top.list_subfolders(search=name) if folder.name == name)
    return next(found, None) or top.create_subfolder(name)


def register(job: Load, top: StorageFolder) -> Titles:
    """Registers the files where they lie, a folder and a job for each kind; answers items by title.

    Raises:
        LoadingFailed: a job did not end well.
    """
    kinds = {kind: units for kind, units in job.sample.manifest.items() if isinstance(units, list)}
    jobs = []
    for kind, units in kinds.items():
        folder = subfolder(top, kind)
        # What is there already is skipped, and still named in the job's result.
        manifest = {kind: units, "skip_duplicate_urls": True}
        jobs.append((kind, folder, folder.add_private_data_to_folder_start(job.integration, manifest, True)))
    titles: Titles = {}
    for kind, folder, started in jobs:
        result = folder.add_private_data_to_folder_get_result(started, timeout_seconds=_PATIENCE_S)
        if result.status != LongPollingStatus.DONE:
            raise LoadingFailed(f"Registering {kind} ended {result.status}: {'; '.join(result.errors)}")
        for failed in result.unit_errors[:_SHOWN_ERRORS]:
            warn(f"not registered: {', '.join(failed.object_urls)}: {failed.error}")
        titles |= {named.name: named.item_uuid for named in result.items_with_names}
        say(kind.replace("_", " "), f"{result.units_done_count} registered")
    return titles


def upload_group(job: Load, folder: StorageFolder) -> Titles:
    """An image group whose pictures are uploaded instead of read where they lie."""
    title, names = _UPLOADED
    paths = [job.media / name for name in names]
    found = {item.name: item.uuid for item in folder.list_items(item_types=[StorageItemType.IMAGE_GROUP])}
    if title not in found:
        metadata = {"subject": "object", "derived": True, "license": "CC0-1.0"}
        found[title] = folder.create_image_group(paths, title=title, client_metadata=metadata)
    say("upload", f"an image group of {len(paths)} files")
    return {title: found[title]}


def make_data_groups(job: Load, folder: StorageFolder, titles: Titles) -> Titles:
    """The plan's data groups, one of each layout."""
    found = {item.name: item.uuid for item in folder.list_items(item_types=[StorageItemType.GROUP])}
    for group in job.plan["data_groups"]:
        if group["name"] not in found:
            found[group["name"]] = folder.create_data_group(_group(group, titles))
    say("data groups", f"{len(found)}: {', '.join(found)}")
    return found


def _group(group: Json, titles: Titles) -> DataGroupGrid | DataGroupCarousel | DataGroupCustom:
    contents = group["layoutContents"]
    named = {"name": group["name"], "client_metadata": group["clientMetadata"]}
    if group["layoutType"] == "custom":
        items = {place: titles[title] for place, title in contents.items()}
        return DataGroupCustom(layout_contents=items, layout=group["layout"], settings=group["settings"], **named)
    form = DataGroupGrid if group["layoutType"] == "default-grid" else DataGroupCarousel
    return form(layout_contents=[titles[title] for title in contents], **named)


def fill_collections(job: Load, top: StorageFolder, titles: Titles) -> None:
    """The plan's collections."""
    for chosen in job.plan["collections"]:
        collection = _collection(job.client, top, chosen)
        missing = _items(chosen, titles) - {item.uuid for item in collection.list_items()}
        if missing:
            collection.add_items(list(missing))
        say("collection", f"{chosen['name']}: {len(chosen['titles'])} items")


def _collection(client: EncordUserClient, top: StorageFolder, chosen: Json) -> Collection:
    found = (known for known in client.list_collections(top.uuid) if known.name == chosen["name"])
    return next(found, None) or client.create_collection(top.uuid, chosen["name"], chosen["description"])


def fill_dataset(job: Load, titles: Titles) -> None:
    """The plan's dataset, whose rows link items that lie in the folders; linked ones are skipped."""
    chosen = job.plan["dataset"]
    dataset = _dataset(job.client, chosen)
    dataset.link_items(sorted(_items(chosen, titles)))
    say("dataset", f"{chosen['name']}: {len(chosen['titles'])} data rows")


def _dataset(client: EncordUserClient, chosen: Json) -> Dataset:
    found: Iterator[Json] = iter(client.get_datasets(title_eq=chosen["name"]))
    known = next(found, None)
    if known is not None:
        return client.get_dataset(known["dataset"].dataset_hash)
    description, place = chosen["description"], StorageLocation.CORD_STORAGE
    made = client.create_dataset(chosen["name"], place, description, create_backing_folder=False)
    return client.get_dataset(made.dataset_hash)


def _items(chosen: Json, titles: Titles) -> set[UUID]:
    # A title is missing where its file could not be registered, which was said.
    return {titles[title] for title in chosen["titles"] if title in titles}
