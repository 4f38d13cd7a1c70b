"""Previews of items. Real: catalog, files, media processes, cache."""

from __future__ import annotations

import io
import json
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
from PIL import Image

from framedex.bootstrap import Node, open_node
from framedex.core.access import Role
from framedex.core.clock import now_us
from framedex.core.errors import InvalidArguments, NotFound, NotPermitted, UnreadableMedia
from framedex.core.ids import IntegrationId, ItemId, new_id
from framedex.core.media_types import ItemType, MediaFacts
from framedex.core.ports.catalog import Entity, Op
from framedex.core.ports.catalog_items import NewItem
from framedex.core.ports.media import ByteSource, Made, Maker
from framedex.services import preview_plans
from framedex.services.preview_plans import Planner, Wanted
from framedex.services.previews import PreviewService
from framedex.settings import load_settings
from framedex.stores.blobs.preview_cache import DiskPreviewCache
from tests.builders import media_files
from tests.builders.databases import database_url
from tests.builders.living import Person, Workspace

THUMBNAIL = preview_plans.thumbnail(256, "png")


@dataclass
class Counting:
    """Counts what the real maker makes."""

    maker: Maker
    made: list[tuple[str, ItemType]] = field(default_factory=list)
    before: Callable[[], None] = lambda: None

    def make(
        self, operation: str, kind: ItemType, sources: Sequence[ByteSource], *, asked: object, max_bytes: int
    ) -> Made:
        self.made.append((operation, kind))
        self.before()
        return self.maker.make(operation, kind, sources, asked=asked, max_bytes=max_bytes)  # type: ignore[arg-type]  # handed on


@dataclass
class House:
    node: Node
    workspace: Workspace
    owner: Person
    media: Path
    integration: IntegrationId
    maker: Counting
    previews: PreviewService

    def look(self, item: ItemId, wanted: Wanted = THUMBNAIL, *, person: Person | None = None) -> Image.Image:
        caller = self.workspace.caller(person or self.owner)
        plan = self.previews.plan(caller, item, wanted)
        preview = self.previews.find(plan) or self.previews.make(plan)
        return Image.open(io.BytesIO(preview.data))

    def add(self, kind: ItemType, data: bytes | None, *, folder: str = "", **more: object) -> ItemId:
        """An item with a file; without data the file is missing."""
        item_id = ItemId(new_id())
        path = self.media / str(item_id)
        if data is not None:
            path.write_bytes(data)
        owner = self.owner
        new = NewItem(
            item_id, self.workspace.folder(owner, "f"), kind, str(item_id), owner.id, MediaFacts(),
            url=path.as_uri(), integration_id=self.integration,
        )  # fmt: skip
        self._add(replace(new, **more))  # type: ignore[arg-type]  # a test names fields of NewItem
        return item_id

    def group(self, kind: ItemType, children: Sequence[ItemId]) -> ItemId:
        return self.add(kind, None, url=None, integration_id=None, children=tuple(children))

    def _add(self, new: NewItem) -> None:
        with self.workspace.catalog.write() as unit:
            unit.items.add_many([new], user_id=self.owner.id, now_us=now_us())
            unit.log(Entity.ITEM, Op.CREATE, [new.id])

    def audited(self) -> list[tuple[str, str]]:
        with self.workspace.catalog.read() as unit:
            entries = unit.audits_after(0, 10_000, since_us=0, user_id=None)
        return [(e.action, e.entity_id) for e in entries if e.action == "item.preview"]


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    top = tmp_path_factory.mktemp("previews")
    media = (top / "media").resolve()
    media.mkdir()
    workspace = Workspace(top / "data")
    node = open_node(load_settings(data=top / "data", database_url=database_url(top / "data"), environment={}))
    owner = workspace.person("owner@example.org")
    maker = Counting(node.prober)
    services = node.services
    previews = PreviewService(
        Planner(node.catalog, services.content),
        maker,
        DiskPreviewCache(top / "cache", max_bytes=1 << 26),
        services.read_log,
        max_bytes=8 << 20,
    )
    yield House(node, workspace, owner, media, workspace.integration(media), maker, previews)
    node.close()
    workspace.close()


@pytest.fixture(autouse=True)
def _fresh(house: House) -> None:
    house.maker.made.clear()


def test_make__each_preview_is_made_once(house: House) -> None:
    item = house.add(ItemType.IMAGE, media_files.png(600, 300))
    assert house.look(item).size == (256, 128)
    house.look(item)
    assert len(house.maker.made) == 1
    assert house.look(item, preview_plans.thumbnail(100, "png")).size == (128, 64)
    assert house.look(item, preview_plans.thumbnail(65, "png")).size == (128, 64)
    assert len(house.maker.made) == 2, "sizes are rounded up"


def test_make__a_changed_object_is_made_anew(house: House) -> None:
    item = house.add(ItemType.IMAGE, media_files.png(40, 30))
    assert house.look(item).size == (40, 30)
    (house.media / str(item)).write_bytes(media_files.png(50, 20))
    assert house.look(item).size == (50, 20)


def test_make__threads_that_ask_at_once_share_one_making(house: House) -> None:
    item = house.add(ItemType.IMAGE, media_files.png(300, 200))
    caller = house.workspace.caller(house.owner)
    plan = house.previews.plan(caller, item, THUMBNAIL)
    has_begun, may_go_on = threading.Event(), threading.Event()

    def hold() -> None:
        has_begun.set()
        assert may_go_on.wait(20)

    house.maker.before = hold
    try:
        with ThreadPoolExecutor(8) as threads:
            first = threads.submit(house.previews.make, plan)
            assert has_begun.wait(20)
            others = [threads.submit(house.previews.make, plan) for _ in range(7)]
            may_go_on.set()
            results = {future.result(20).data for future in [first, *others]}
    finally:
        house.maker.before = lambda: None
    assert len(results) == 1
    assert len(house.maker.made) == 1


def test_make__what_cannot_be_made_is_refused_and_not_tried_again(house: House) -> None:
    item = house.add(ItemType.IMAGE, b"no image")
    for _ in range(3):
        with pytest.raises(UnreadableMedia, match="not an image that can be read"):
            house.look(item)
    assert len(house.maker.made) == 1
    (house.media / str(item)).write_bytes(media_files.png(9, 9))
    assert house.look(item).size == (9, 9), "another object is another try"


def test_plan__missing_object_is_not_found_and_says_whose(house: House) -> None:
    item = house.add(ItemType.IMAGE, None, facts=MediaFacts(width=9, height=9), facts_supplied=True)
    with pytest.raises(NotFound, match=f"object of item {item} is not where it was registered"):
        house.look(item)


def test_plan__strict_client_only_is_never_read(house: House) -> None:
    strict = house.workspace.integration(house.media, title="strict", strict=True)
    item = house.add(ItemType.IMAGE, media_files.png(), integration_id=strict)
    with pytest.raises(NotPermitted, match="strict client-only"):
        house.look(item)


def test_plan__strangers_see_nothing_and_looks_are_audited_once(house: House) -> None:
    item = house.add(ItemType.IMAGE, media_files.png())
    stranger = house.workspace.person(f"{new_id()}@example.org")
    with pytest.raises(NotPermitted):
        house.look(item, person=stranger)
    for _ in range(3):
        house.look(item)
    assert house.audited().count(("item.preview", str(item))) == 1


def test_sheet__shows_child_items_and_is_made_of_their_thumbnails(house: House) -> None:
    children = [house.add(ItemType.IMAGE, media_files.png(90, 60, seed=seed)) for seed in range(12)]
    group = house.group(ItemType.IMAGE_GROUP, children)
    sheet = house.look(group)
    assert max(sheet.size) == 256
    assert len(house.maker.made) == 10, "nine cells and the sheet"
    house.look(group)
    assert len(house.maker.made) == 10


def test_sheet__leaves_out_what_cannot_be_shown(house: House) -> None:
    good, bad = house.add(ItemType.AUDIO, media_files.audio()), house.add(ItemType.IMAGE, b"no image")
    missing = house.add(ItemType.IMAGE, None)
    group = house.group(ItemType.GROUP, [bad, good, missing])
    assert house.look(group).size
    with pytest.raises(UnreadableMedia, match="not an image"):
        house.look(house.group(ItemType.GROUP, [bad]))
    with pytest.raises(UnreadableMedia, match="no child items"):
        house.look(house.group(ItemType.GROUP, []))
    with pytest.raises(UnreadableMedia, match="has no waveform; ask for one of its child items"):
        house.look(group, preview_plans.waveform(500))


def test_sheet__of_a_data_group_shows_what_the_caller_may_read(house: House) -> None:
    """Its items may lie in other folders: who may read the group alone gets a sheet without them."""
    children = [house.add(ItemType.IMAGE, media_files.png(90, 60, seed=seed)) for seed in (1, 2)]
    group = house.group(ItemType.GROUP, children)
    reader = house.workspace.person(f"{new_id()}@example.org")
    with house.workspace.catalog.write() as unit:
        for item in (group, children[1]):
            unit.folders.set_role(unit.items.get_many([item])[item].folder_id, reader.id, Role.USER)
    for person, seen in ((house.owner, children), (reader, children[1:])):
        plan = house.previews.plan(house.workspace.caller(person), group, THUMBNAIL)
        assert [cell.item_id for cell in plan.cells] == seen
    assert house.look(group).tobytes() != house.look(group, person=reader).tobytes()


def test_series__shows_its_middle_file(house: House) -> None:
    files = [house.add(ItemType.DICOM_FILE, media_files.dicom(number=n, z=n, side=16), is_child=True) for n in range(5)]
    series = house.group(ItemType.DICOM_SERIES, files)
    plan = house.previews.plan(house.workspace.caller(house.owner), series, THUMBNAIL)
    assert plan.item_id == files[2]
    assert house.look(series).size == (16, 16)


def test_series__files_in_folders_of_others_stay_theirs(house: House) -> None:
    files = [house.add(ItemType.DICOM_FILE, media_files.dicom(number=n, z=n, side=16), is_child=True) for n in range(3)]
    series = house.group(ItemType.DICOM_SERIES, files)
    reader = house.workspace.person(f"{new_id()}@example.org")
    caller = house.workspace.caller(reader)
    with house.workspace.catalog.write() as unit:
        unit.folders.set_role(unit.items.get_many([series])[series].folder_id, reader.id, Role.USER)
    with pytest.raises(UnreadableMedia, match="no files to show"):
        house.previews.plan(caller, series, THUMBNAIL)
    with house.workspace.catalog.write() as unit:
        unit.folders.set_role(unit.items.get_many(files)[files[2]].folder_id, reader.id, Role.USER)
    assert house.previews.plan(caller, series, THUMBNAIL).item_id == files[2]


def test_scene__of_streams_shows_its_first_point_cloud(house: House) -> None:
    cloud = house.media / f"{new_id()}.pcd"
    cloud.write_bytes(media_files.pcd(500))
    stream = {"type": "point_cloud", "events": [{"timestamp": 0, "uri": cloud.as_uri()}]}
    scene = house.add(ItemType.SCENE, None, url=None, scene=json.dumps({"lidar": stream}))
    assert house.look(scene).size == (256, 256)


@pytest.mark.parametrize(
    ("kind", "data", "wanted"),
    [
        (ItemType.VIDEO, media_files.video(), THUMBNAIL),
        (ItemType.VIDEO, media_files.video(), preview_plans.strip(64, "webp")),
        (ItemType.IMAGE_SEQUENCE, media_files.video(), THUMBNAIL),
        (ItemType.AUDIO, media_files.audio(), THUMBNAIL),
        (ItemType.AUDIO, media_files.audio(), preview_plans.spectrogram(512, "jpeg")),
        (ItemType.PDF, media_files.pdf(), THUMBNAIL),
        (ItemType.PLAIN_TEXT, media_files.html(), THUMBNAIL),
        (ItemType.NIFTI, media_files.nifti(), THUMBNAIL),
        (ItemType.TIMESERIES, media_files.csv_series(), THUMBNAIL),
        (ItemType.SCENE, media_files.las(packed=True), THUMBNAIL),
    ],
)
def test_make__every_kind_can_be_looked_at(house: House, kind: ItemType, data: bytes, wanted: Wanted) -> None:
    assert min(house.look(house.add(kind, data), wanted).size) > 0


def test_wanted__out_of_range_is_refused() -> None:
    for wrong in (0, -1, 1025):
        with pytest.raises(InvalidArguments, match="size is between 1 and 1024"):
            preview_plans.thumbnail(wrong, "webp")
    with pytest.raises(InvalidArguments, match="format is one of webp, jpeg, png"):
        preview_plans.thumbnail(5, "gif")
