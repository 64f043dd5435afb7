"""A stand-in for Google Cloud's API of TPUs and for a VM's metadata server.

Both are one HTTP server on this machine: `GCE_METADATA_HOST` and
`CLOUDSDK_API_ENDPOINT_OVERRIDES_TPU` name it to whoever asks.
"""

import contextlib
import http.server
import json
import threading

TOKEN = "token-of-the-machine"
PROJECT = "my-project"
ZONE = "us-central1-a"
_ACCOUNT = "1234-compute@developer.gserviceaccount.com"
_OF_TOKEN = json.dumps(
    {"access_token": TOKEN, "expires_in": 3599, "token_type": "Bearer"}
)
# What the machine knows of itself.
OF_MACHINE = {
    "project/project-id": PROJECT,
    "instance/zone": f"projects/1234/zones/{ZONE}",
    "instance/service-accounts/default/token": _OF_TOKEN,
    # google-auth asks for these.
    "instance/service-accounts/default/": json.dumps(
        {"aliases": ["default"], "email": _ACCOUNT, "scopes": ["any"]}
    ),
    f"instance/service-accounts/{_ACCOUNT}/token": _OF_TOKEN,
}
_METADATA = "/computeMetadata/v1/"


def node(state="READY", *, ports=(8470,), **more):
    """A node as the API describes it, all its hosts being this machine."""
    return {
        "name": f"projects/{PROJECT}/locations/{ZONE}/nodes/node-1",
        "acceleratorType": "v3-32",
        "state": state,
        "networkEndpoints": [
            {"ipAddress": "127.0.0.1", "port": port} for port in ports
        ],
    } | more


def refusal(code, message):
    """An answer of the API that is an error."""
    return code, {"error": {"code": code, "message": message}}


class Cloud:
    """What the two servers say.

    `nodes` has, by name, a node or (status, answer); `of_machine` may lose
    entries; `asked` has the paths that were asked for.
    """

    def __init__(self, address):
        self.address = address
        self.token = TOKEN
        self.nodes = {}
        self.of_machine = dict(OF_MACHINE)
        self.asked = []

    @property
    def environment(self):
        """By what a program finds them."""
        return {
            "GCE_METADATA_HOST": self.address,
            "GCE_METADATA_IP": self.address,
            "CLOUDSDK_API_ENDPOINT_OVERRIDES_TPU": f"http://{self.address}/",
        }

    def answer(self, path, headers):
        """Returns the status and the text of an answer."""
        path = path.partition("?")[0]
        self.asked.append(path)
        if path == "/":  # Is this a metadata server?
            return 200, "computeMetadata/"
        if path.startswith(_METADATA):
            found = self.of_machine.get(path.removeprefix(_METADATA))
            if headers["Metadata-Flavor"] != "Google":
                return 403, "Missing Metadata-Flavor:Google header."
            return (404, "") if found is None else (200, found)
        if headers["Authorization"] != f"Bearer {self.token}":
            status, said = refusal(401, "invalid authentication credentials")
            return status, json.dumps(said)
        place, _, name = path.rpartition("/")
        found = self.nodes.get(name)
        if place != f"/v2/projects/{PROJECT}/locations/{ZONE}/nodes":
            found = None
        if found is None:
            found = refusal(404, f"Resource '{path[4:]}' was not found")
        status, said = found if isinstance(found, tuple) else (200, found)
        return status, said if isinstance(said, str) else json.dumps(said)


@contextlib.contextmanager
def served():
    """Yields a `Cloud` that is answered from."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):  # noqa: N802
            status, said = cloud.answer(self.path, self.headers)
            self.send_response(status)
            self.send_header("Metadata-Flavor", "Google")
            kind = "json" if said.startswith("{") else "text"
            self.send_header("Content-Type", f"application/{kind}")
            self.end_headers()
            self.wfile.write(said.encode())

        def log_message(self, *arguments):
            """Says nothing."""

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    cloud = Cloud(f"127.0.0.1:{server.server_port}")
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield cloud
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
