from __future__ import annotations

import json
import time

import httpx

from framedex.core.ids import FolderId
from framedex.webapi.schemas import ImportOut, JobOut, UnitsOut
from tests.builders.living import Person, png_files
from tests.medium.webapi.conftest import Live


def _address(live: Live, name: str) -> str:
    return f"file://{live.media}/{name}"


def _manifest(live: Live, names: list[str]) -> dict[str, object]:
    return {"images": [{"objectUrl": _address(live, name)} for name in names]}


def _ended(client: httpx.Client, job: str) -> JobOut:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        found = JobOut.model_validate(client.get(f"/jobs/{job}").json())
        if found.state in ("done", "error", "cancelled"):
            return found
        time.sleep(0.05)
    raise AssertionError("the job did not end")


def _query(live: Live, folder: FolderId, **more: str) -> dict[str, str]:
    return {"folder": folder, "integration": live.integration_id, **more}


def test_imports__json_becomes_a_job_with_receipts(live: Live, admin_client: httpx.Client, admin: Person) -> None:
    png_files(live.media, ["j/a.png", "j/b.png"])
    folder = live.workspace.folder(admin, "f")
    answer = admin_client.post("/imports", params=_query(live, folder), json=_manifest(live, ["j/a.png", "j/b.png"]))
    assert answer.status_code == 200, answer.text
    assert int(answer.headers["x-framedex-seq"]) > 0
    started = ImportOut.model_validate(answer.json())
    assert started.units == 2
    job = _ended(admin_client, str(started.job))
    assert (job.state, job.units.done, job.units.pending) == ("done", 2, 0)
    page = UnitsOut.model_validate(admin_client.get(f"/jobs/{job.uuid}/units").json())
    assert [(u.position, u.state, u.path) for u in page.units] == [
        (0, "done", "$.images[0]"),
        (1, "done", "$.images[1]"),
    ]
    item = admin_client.get(f"/items/{page.units[1].items[0].uuid}").json()
    assert item["url"] == _address(live, "j/b.png")
    assert item["facts"]["file_size"] == (live.media / "j/b.png").stat().st_size


def test_imports__csv_and_form(live: Live, admin_client: httpx.Client, admin: Person) -> None:
    png_files(live.media, ["c/a.png", "c/b.png"])
    folder = live.workspace.folder(admin, "f")
    sheet = f"ObjectUrl\n{_address(live, 'c/a.png')}\n"
    sheet = sheet.replace("ObjectUrl", "ImageUrl") if _takes(live, admin_client, folder, "ImageUrl") else sheet
    posted = admin_client.post(
        "/imports", params=_query(live, folder), content=sheet.encode(), headers={"Content-Type": "text/csv"}
    )
    assert posted.status_code == 200, posted.text
    body = json.dumps(_manifest(live, ["c/b.png"])).encode()
    form = admin_client.post(
        "/imports",
        data={"folder": folder, "integration": live.integration_id, "ignore_errors": "true"},
        files={"file": ("round two.json", body, "application/json")},
    )
    assert form.status_code == 200, form.text
    job = _ended(admin_client, form.json()["job"])
    assert (job.title, job.state, job.units.done) == ("round two.json", "done", 1)


def _takes(live: Live, client: httpx.Client, folder: FolderId, column: str) -> bool:
    text = f"{column}\n{_address(live, 'c/a.png')}\n"
    answer = client.post(
        "/imports",
        params=_query(live, folder, dry_run="true"),
        content=text.encode(),
        headers={"Content-Type": "text/csv"},
    )
    return ImportOut.model_validate(answer.json()).problems == []


def test_imports__dry_run_answers_problems_and_starts_nothing(
    live: Live, admin_client: httpx.Client, admin: Person
) -> None:
    folder = live.workspace.folder(admin, "f")
    seq = admin_client.get("/status").json()["seq"]
    outside = {"images": [{"objectUrl": "file:///etc/passwd"}, {"objectUrl": _address(live, "x.png")}]}
    answer = admin_client.post("/imports", params=_query(live, folder, dry_run="true"), json=outside)
    assert answer.status_code == 200
    tried = ImportOut.model_validate(answer.json())
    assert tried.job is None
    assert [p.path for p in tried.problems] == ["$.images[0]"]
    broken = {"images": [{"title": "no address"}, {"objectUrl": _address(live, "x.png")}]}
    again = admin_client.post("/imports", params=_query(live, folder, dry_run="true"), json=broken).json()
    assert again["problems"][0]["path"].startswith("$.images[0]")
    refused = admin_client.post("/imports", params=_query(live, folder), json=broken)
    assert refused.status_code == 400
    assert refused.json()["errors"][0]["path"].startswith("$.images[0]")
    assert admin_client.get("/status").json()["seq"] == seq


def test_imports__needs_rights_before_it_looks(live: Live, client: httpx.Client, admin: Person) -> None:
    folder = live.workspace.folder(admin, "f")
    for extra in ({}, {"dry_run": "true"}):
        answer = client.post("/imports", params=_query(live, folder, **extra), json={"images": []})
        assert answer.status_code == 403


def test_imports__wrong_parameters(live: Live, admin_client: httpx.Client, admin: Person) -> None:
    folder = live.workspace.folder(admin, "f")
    assert admin_client.post("/imports", json={}).json()["errors"][0]["path"] == "folder"
    flag = admin_client.post("/imports", params=_query(live, folder, dry_run="perhaps"), json={})
    assert flag.json()["errors"][0]["path"] == "dry_run"
    xml = admin_client.post(
        "/imports", params=_query(live, folder), content=b"<a/>", headers={"Content-Type": "text/xml"}
    )
    assert xml.status_code == 400


def test_jobs__of_others_are_hidden(
    live: Live, admin_client: httpx.Client, client: httpx.Client, admin: Person
) -> None:
    folder = live.workspace.folder(admin, "f")
    png_files(live.media, ["h/a.png"])
    job = admin_client.post("/imports", params=_query(live, folder), json=_manifest(live, ["h/a.png"])).json()["job"]
    _ended(admin_client, job)
    assert job in [j["uuid"] for j in admin_client.get("/jobs").json()["jobs"]]
    assert client.get("/jobs").json()["jobs"] == []
    for path in (f"/jobs/{job}", f"/jobs/{job}/units"):
        assert client.get(path).status_code == 403
    boss = live.workspace.person(f"boss-{job}@example.org", is_admin=True)
    with live.client(boss) as third:
        shown = third.get("/jobs", params={"include_org_access": "true"}).json()["jobs"]
        assert job in [j["uuid"] for j in shown]
        for verb in ("cancel", "retry"):
            assert client.post(f"/jobs/{job}/{verb}").status_code == 403
            assert third.post(f"/jobs/{job}/{verb}?include_org_access=true").status_code == 403


def test_jobs__pages_newest_first(live: Live, admin_client: httpx.Client, admin: Person) -> None:
    folder = live.workspace.folder(admin, "f")
    png_files(live.media, ["p/a.png"])
    manifest = _manifest(live, ["p/a.png"])
    made = [admin_client.post("/imports", params=_query(live, folder), json=manifest).json()["job"] for _ in range(3)]
    first = admin_client.get("/jobs", params={"limit": 2}).json()
    second = admin_client.get("/jobs", params={"limit": 2, "cursor": first["next_cursor"]}).json()
    assert [j["uuid"] for j in first["jobs"] + second["jobs"]] == made[::-1]
    assert second["next_cursor"] is None
    for job in made:
        _ended(admin_client, job)


def test_retry__does_what_failed_again(live: Live, admin_client: httpx.Client, admin: Person) -> None:
    folder = live.workspace.folder(admin, "f")
    png_files(live.media, ["r/a.png"])
    names = ["r/a.png", "r/late.png"]
    started = admin_client.post(
        "/imports", params=_query(live, folder, ignore_errors="true"), json=_manifest(live, names)
    )
    job = _ended(admin_client, started.json()["job"])
    assert (job.state, job.units.done, job.units.error) == ("done", 1, 1)
    failed = admin_client.get(f"/jobs/{job.uuid}/units", params={"state": "error"}).json()["units"]
    assert [u["position"] for u in failed] == [1]
    assert failed[0]["error"]
    png_files(live.media, ["r/late.png"])
    assert admin_client.post(f"/jobs/{job.uuid}/retry").json() == {"units": 1}
    again = _ended(admin_client, job.uuid)
    assert (again.state, again.units.done, again.units.error) == ("done", 2, 0)
    assert admin_client.post(f"/jobs/{job.uuid}/retry").json() == {"units": 0}


def test_retry__all_or_nothing_is_done_as_a_whole(live: Live, admin_client: httpx.Client, admin: Person) -> None:
    folder = live.workspace.folder(admin, "f")
    png_files(live.media, ["w/a.png"])
    started = admin_client.post(
        "/imports", params=_query(live, folder), json=_manifest(live, ["w/a.png", "w/late.png"])
    )
    job = _ended(admin_client, started.json()["job"])
    assert (job.state, job.units.done) == ("error", 0)
    png_files(live.media, ["w/late.png"])
    assert admin_client.post(f"/jobs/{job.uuid}/retry").json()["units"] >= 1
    again = _ended(admin_client, job.uuid)
    assert (again.state, again.units.done, again.units.error) == ("done", 2, 0)


def test_retry__never_registers_what_is_outside(live: Live, admin_client: httpx.Client, admin: Person) -> None:
    """Units with supplied facts are checked while they are staged; a retry must not skip that."""
    folder = live.workspace.folder(admin, "f")
    facts = {"mimeType": "image/png", "fileSize": 1, "width": 1, "height": 1}
    manifest = {
        "images": [
            {"objectUrl": _address(live, "supplied.png"), "imageMetadata": facts},
            {"objectUrl": "file:///etc/hostname", "imageMetadata": facts},
        ]
    }
    started = admin_client.post("/imports", params=_query(live, folder, ignore_errors="true"), json=manifest)
    job = _ended(admin_client, started.json()["job"])
    assert (job.units.done, job.units.error) == (1, 1)
    admin_client.post(f"/jobs/{job.uuid}/retry").raise_for_status()
    again = _ended(admin_client, job.uuid)
    assert (again.units.done, again.units.error) == (1, 1)
