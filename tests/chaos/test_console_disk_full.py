"""The disk under the console's database full: saves are refused, whole, until there is room."""

import httpx
import pytest
from disk import Disk
from line import eventually

from console.supervisor import copies, environment_of

KEY = "k"


@pytest.fixture
def disk(tmp_path):
    disk = Disk(tmp_path / "disk", 64 << 20)
    yield disk
    disk.close()


@pytest.fixture
def console(settings, topics, disk, tmp_path):
    changed = settings.model_copy(update={"data_dir": disk.folder, "admin_key": KEY})
    (console,) = copies("console", 1, environment_of(changed), tmp_path)
    console.start()
    console.await_ready()
    yield console
    console.stop()


@pytest.fixture
def api(console):
    headers = {"Authorization": f"Bearer {KEY}"}
    with httpx.Client(base_url=console.url, headers=headers, timeout=60) as client:
        yield client


def save(api, number):
    """An account with an action, in one document: all of it or nothing."""
    action = {
        "id": "crm", "name": "x" * 90, "scope": "all_calls", "target_url": "https://example.com/",
    }  # fmt: skip
    account = {"id": f"a{number}", "name": "A" * 90, "actions": [action]}
    return api.post("/v1/apply", json={"accounts": [account]})


def saved(api):
    return {one["id"] for one in api.get("/v1/export").json()["accounts"]}


@pytest.mark.parametrize("times", [2, pytest.param(20, marks=pytest.mark.chaos)])
def test_a_full_disk_refuses_saves_and_goes_on_when_there_is_room(console, api, disk, times):
    kept, number = set(), 0
    for _ in range(times):
        disk.fill(console.pid)
        answers = []
        # The write-ahead log has room in what it has used before: a few saves may still succeed.
        while not answers or answers[-1].is_success:
            number += 1
            answers.append(save(api, number))
            kept |= {f"a{number}"} if answers[-1].is_success else set()
            assert len(answers) < 5_000
        assert answers[-1].status_code == 507, answers[-1].text
        assert answers[-1].headers["Content-Type"] == "application/problem+json"
        assert "nothing was changed" in answers[-1].json()["detail"]
        assert "Make room" in answers[-1].json()["detail"]
        assert saved(api) == kept, "reading goes on, and nothing is half-written"
        disk.make_room(console.pid)
        number += 1
        assert save(api, number).is_success
        kept.add(f"a{number}")
    assert saved(api) == kept
    eventually(lambda: "\npca_outbox_waiting 0.0\n" in console.metrics(), timeout=60)
