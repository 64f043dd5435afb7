"""A TPU of a name is found, or what is amiss is said in one line.

Against a stand-in for the API and the metadata server: see tests.google_cloud.
"""

import importlib.util
import sys
import types

import pytest

from tests import google_cloud
from training import cloud_tpu, strategy

_PLACE = (google_cloud.ZONE, google_cloud.PROJECT)


@pytest.fixture
def cloud(monkeypatch):
    # Its credentials would be those of whoever runs the tests.
    monkeypatch.setitem(sys.modules, "google.auth", None)
    with google_cloud.served() as served:
        for name, value in served.environment.items():
            monkeypatch.setenv(name, value)
        yield served


def test_each_host_has_an_address(cloud):
    cloud.nodes["slice"] = google_cloud.node(ports=(8470, 8471, 8472, 8473))
    assert cloud_tpu.resolve("slice", *_PLACE) == ",".join(
        f"grpc://127.0.0.1:{port}" for port in (8470, 8471, 8472, 8473)
    )


def test_an_address_without_a_port_has_the_usual_one(cloud):
    cloud.nodes["node-1"] = google_cloud.node(
        networkEndpoints=[{"ipAddress": "10.0.0.2", "accessConfig": {}}]
    )
    found = cloud_tpu.resolve("node-1", *_PLACE)
    assert found == "grpc://10.0.0.2:8470"


def test_a_machine_of_google_cloud_says_zone_and_project(cloud):
    cloud.nodes["node-1"] = google_cloud.node()
    found = cloud_tpu.resolve("node-1", None, None)
    assert found == "grpc://127.0.0.1:8470"
    assert [path.rpartition("/")[2] for path in cloud.asked] == [
        "zone",
        "project-id",
        "token",
        "node-1",
    ]


@pytest.mark.parametrize(
    ("found", "error", "words"),
    [
        ("CREATING", ConnectionError, "CREATING: wait some minutes"),
        ("REPAIRING", ConnectionError, "REPAIRING: wait some minutes"),
        ("PREEMPTED", ConnectionError, "PREEMPTED: .*tpu_vm.sh"),
        ("TERMINATED", ConnectionError, "TERMINATED: .*tpu_vm.sh"),
        (
            "STOPPED",
            ConnectionError,
            "STOPPED: start it: .*tpu-vm start node-1 --zone=us-central1-a "
            "--project=my-project",
        ),
        ("DELETING", ConnectionError, "DELETING: .*create another"),
        (
            google_cloud.refusal(
                403, "Permission 'tpu.nodes.get'\ndenied on resource"
            ),
            ValueError,
            "no permission .*403: Permission 'tpu.nodes.get' denied",
        ),
        (None, ValueError, "no TPU 'node-1' in --tpu_zone=us-central1-a of"),
        (
            google_cloud.refusal(400, "Location is unknown"),
            ValueError,
            "400: Location is unknown.*check --tpu_name",
        ),
        (
            google_cloud.refusal(429, "Quota exceeded"),
            ConnectionError,
            "429: Quota exceeded.*wait",
        ),
        ((503, "<html>"), ConnectionError, "503: Service Unavailable.*wait"),
        ((200, "<html>"), ValueError, "nodes/node-1.*not JSON"),
        (
            google_cloud.node(networkEndpoints=[]),
            ConnectionError,
            "says no address",
        ),
    ],
)
def test_what_is_amiss_is_said_in_one_line(cloud, found, error, words):
    if isinstance(found, str):
        found = google_cloud.node(found)
    cloud.nodes["node-1"] = found
    with pytest.raises(error, match=words) as raised:
        cloud_tpu.resolve("node-1", *_PLACE)
    print(raised.value)
    assert "\n" not in str(raised.value)
    assert "node-1" in str(raised.value)


def test_a_tpu_that_is_not_well_is_tried_with_a_warning(cloud, caplog):
    cloud.nodes["node-1"] = google_cloud.node(
        health="UNHEALTHY_MAINTENANCE", healthDescription="back soon"
    )
    assert cloud_tpu.resolve("node-1", *_PLACE) == "grpc://127.0.0.1:8470"
    assert "UNHEALTHY_MAINTENANCE (back soon)" in caplog.text


def test_off_google_cloud_the_flag_that_is_missing_is_named(cloud):
    cloud.of_machine.clear()
    with pytest.raises(ConnectionError, match="needs --tpu_zone off"):
        cloud_tpu.resolve("node-1", None, google_cloud.PROJECT)
    with pytest.raises(ConnectionError, match="needs --gcp_project off"):
        cloud_tpu.resolve("node-1", google_cloud.ZONE, None)


def test_a_machine_without_an_account_is_told_so(cloud):
    del cloud.of_machine["instance/service-accounts/default/token"]
    with pytest.raises(ConnectionError, match="no account .*service account"):
        cloud_tpu.resolve("node-1", *_PLACE)


@pytest.mark.parametrize(
    "gone", ["GCE_METADATA_HOST", "CLOUDSDK_API_ENDPOINT_OVERRIDES_TPU"]
)
def test_where_nobody_answers_the_address_is_asked_for(
    cloud, monkeypatch, gone
):
    monkeypatch.setenv(gone, cloud.environment[gone].replace("127.", "0.0.0.0"))
    with pytest.raises(ConnectionError, match="--tpu_name=grpc://HOST:8470"):
        cloud_tpu.resolve("node-1", *_PLACE)


@pytest.mark.parametrize("name", ["My TPU", "10.0.0.2:8470", "http"])
def test_what_is_no_name_is_refused(cloud, name):
    error = ValueError
    with pytest.raises(error, match="neither the name|no TPU 'http'"):
        cloud_tpu.resolve(name, *_PLACE)


class _GoogleAuthError(Exception):
    pass


def _fake_google_auth(monkeypatch, default):
    """Stands in for google-auth, with `default` as its function."""
    auth = types.ModuleType("google.auth")
    auth.default = default
    auth.exceptions = types.SimpleNamespace(GoogleAuthError=_GoogleAuthError)
    requests = types.ModuleType("google.auth.transport.requests")
    requests.Request = lambda: "a request"
    monkeypatch.setitem(sys.modules, "google.auth", auth)
    monkeypatch.setitem(
        sys.modules, "google.auth.transport", types.ModuleType("transport")
    )
    monkeypatch.setitem(sys.modules, "google.auth.transport.requests", requests)


def test_google_auth_proves_who_asks_where_it_is(cloud, monkeypatch):
    class Credentials:
        token = None

        def refresh(self, request):
            assert request == "a request"
            self.token = "of-the-user"

    def default(scopes):
        assert scopes == ["https://www.googleapis.com/auth/cloud-platform"]
        return Credentials(), None

    _fake_google_auth(monkeypatch, default)
    cloud.token = "of-the-user"
    cloud.nodes["node-1"] = google_cloud.node()
    assert cloud_tpu.resolve("node-1", *_PLACE) == "grpc://127.0.0.1:8470"
    cloud.token = "of-another"
    with pytest.raises(ValueError, match="no permission .*401"):
        cloud_tpu.resolve("node-1", *_PLACE)


def test_without_credentials_it_says_how_to_get_some(cloud, monkeypatch):
    def default(scopes):
        raise _GoogleAuthError("were not found")

    _fake_google_auth(monkeypatch, default)
    with pytest.raises(
        ConnectionError, match="were not found.*application-default login"
    ):
        cloud_tpu.resolve("node-1", *_PLACE)


@pytest.mark.skipif(
    importlib.util.find_spec("google.auth") is None, reason="no google-auth"
)
def test_the_real_google_auth_asks_the_same_metadata_server(tmp_path):
    with (
        google_cloud.served() as served,
        pytest.MonkeyPatch.context() as patch,
    ):
        for name, value in served.environment.items():
            patch.setenv(name, value)
        patch.delenv("GOOGLE_APPLICATION_CREDENTIALS", raising=False)
        patch.setenv("CLOUDSDK_CONFIG", str(tmp_path))
        served.nodes["node-1"] = google_cloud.node()
        found = cloud_tpu.resolve("node-1", *_PLACE)
    assert found == "grpc://127.0.0.1:8470"


def test_a_named_tpu_whose_hosts_do_not_answer_is_one_line(cloud):
    cloud.nodes["node-1"] = google_cloud.node(ports=(1,))
    with pytest.raises(
        ConnectionError, match="'node-1' .*refused: no TensorFlow server"
    ) as raised:
        strategy.create(strategy.DeviceSettings(tpu_name="node-1"))
    assert "\n" not in str(raised.value)
