"""Where a Cloud TPU of a name is: asked of Google Cloud's API for TPUs.

    name, zone, project  --GET .../projects/P/locations/Z/nodes/NAME-->
    {"state": "READY", "networkEndpoints": [{"ipAddress", "port"}, ...]}
    -->  grpc://10.0.0.2:8470,grpc://10.0.0.3:8470      one of each host

TensorFlow's own client of it needs libraries that are no longer maintained and
do not go with its protobuf. What a machine on Google Cloud knows of itself
comes from its metadata server: zone, project, and a token to ask with.
"""

import http.client
import importlib
import json
import os
import re
import urllib.error
import urllib.parse
import urllib.request
from typing import Any, NoReturn

from absl import logging

from storage import json_files

_API = "https://tpu.googleapis.com/"
# The variable by which gcloud, too, is told of another address.
_API_VARIABLE = "CLOUDSDK_API_ENDPOINT_OVERRIDES_TPU"
_SCOPE = "https://www.googleapis.com/auth/cloud-platform"
_METADATA_VARIABLE = "GCE_METADATA_HOST"
_METADATA_HOST = "metadata.google.internal"
_DEFAULT_PORT = 8470
_TIMEOUT_SECS = 10
_SHOWN_CHARACTERS = 200
_NAME = re.compile(r"[a-z][a-z0-9-]*")
_NODE = {
    "state?": str,
    "health?": str,
    "healthDescription?": str,
    "networkEndpoints?": [{"ipAddress?": str, "port?": object}],
}
# What there is to do where a TPU is not READY; of other states, to wait.
_CURES = {
    "PREEMPTED": "it was taken back and will not return: delete it and create "
    "it again, as shell/tpu_vm.sh does",
    "TERMINATED": "it has ended and will not return: delete it and create it "
    "again, as shell/tpu_vm.sh does",
    "STOPPED": "start it: gcloud compute tpus tpu-vm start {name} "
    "--zone={zone} --project={project}",
    "DELETING": "it is being deleted: create another one",
}
_WAIT = "wait some minutes and give the same command again"
_WELL = ("HEALTHY", "HEALTH_UNSPECIFIED", None)


def resolve(name: str, zone: str | None, project: str | None) -> str:
    """Returns grpc://HOST:PORT of each host of a TPU, joined by commas.

    Args:
        name: of the TPU.
        zone: where it is; None for that of this machine.
        project: whose it is; None for that of this machine.

    Raises:
        ValueError: there is no such TPU, or it may not be looked up.
        ConnectionError: it is not ready, or the API cannot be asked.
    """
    if not _NAME.fullmatch(name):
        raise ValueError(
            f"--tpu_name={name} is neither the name of a Cloud TPU (small "
            "letters, digits and -) nor grpc://HOST:PORT nor local"
        )
    # The last part of projects/NUMBER/zones/ZONE.
    zone = zone or _own(name, "instance/zone", "tpu_zone").rpartition("/")[2]
    project = project or _own(name, "project/project-id", "gcp_project")
    node = _node(name, zone, project)
    state = node.get("state", "unknown")
    if state != "READY":
        cure = _CURES.get(state, _WAIT).format(
            name=name, zone=zone, project=project
        )
        raise ConnectionError(
            f"the TPU {name!r} in {zone} is not ready, its state is {state}: "
            f"{cure}"
        )
    if node.get("health") not in _WELL:
        logging.warning(
            "the TPU %r says that its health is %s%s; going on",
            name,
            node["health"],
            f" ({node['healthDescription']})"
            if node.get("healthDescription")
            else "",
        )
    hosts = [
        f"grpc://{host['ipAddress']}:{host.get('port') or _DEFAULT_PORT}"
        for host in node.get("networkEndpoints", ())
        if host.get("ipAddress")
    ]
    if not hosts:
        raise ConnectionError(
            f"the TPU {name!r} in {zone} is ready and says no address: {_WAIT}"
        )
    return ",".join(hosts)


def _node(name: str, zone: str, project: str) -> dict[str, Any]:
    """Returns what the API knows of a TPU."""
    place = "projects/{}/locations/{}/nodes/{}".format(
        *(urllib.parse.quote(part, safe="") for part in (project, zone, name))
    )
    api = os.environ.get(_API_VARIABLE) or _API
    url = f"{api.rstrip('/')}/v2/{place}"
    request = urllib.request.Request(
        url, headers={"Authorization": f"Bearer {_token()}"}
    )
    try:
        with urllib.request.urlopen(request, timeout=_TIMEOUT_SECS) as answer:
            return json_files.parse(answer.read(), url, _NODE)
    except urllib.error.HTTPError as error:
        _refuse(error, name, zone, project)
    except (OSError, http.client.HTTPException) as error:
        raise ConnectionError(
            f"the TPU {name!r} could not be looked up at {api} "
            f"({_reason(error)}): give the same command again, or its "
            "address, --tpu_name=grpc://HOST:8470"
        ) from None


def _refuse(
    error: urllib.error.HTTPError, name: str, zone: str, project: str
) -> NoReturn:
    """Raises what an answer of the API that is no node means."""
    said = _message(error)
    place = f"--tpu_zone={zone} of --gcp_project={project}"
    if error.code == 404:
        raise ValueError(
            f"there is no TPU {name!r} in {place} ({said}): gcloud compute "
            f"tpus tpu-vm list --zone={zone} --project={project} says which "
            "there are"
        )
    if error.code in (401, 403):
        raise ValueError(
            f"no permission to look up the TPU {name!r} in {place} ({said}): "
            "the account needs the role TPU Viewer and, on a VM, the scope "
            "cloud-platform; the project needs the Cloud TPU API"
        )
    if 400 <= error.code < 500 and error.code != 429:
        raise ValueError(
            f"Google Cloud refuses to look up the TPU {name!r} in {place} "
            f"({said}): check --tpu_name, --tpu_zone and --gcp_project"
        )
    raise ConnectionError(
        f"Google Cloud could not look up the TPU {name!r} now ({said}): {_WAIT}"
    )


def _message(error: urllib.error.HTTPError) -> str:
    """Returns what an error of the API says, with its status."""
    try:
        said = json.loads(error.read())["error"]["message"]
    except (ValueError, KeyError, TypeError, OSError):
        said = error.reason
    line = " ".join(str(said).split())[:_SHOWN_CHARACTERS]
    return f"{error.code}: {line}"


def _token() -> str:
    """Returns what proves who asks.

    With google-auth it is that of the application's default credentials; else
    this machine's own, which only one on Google Cloud has.
    """
    try:
        auth = importlib.import_module("google.auth")
        requests = importlib.import_module("google.auth.transport.requests")
    except ImportError:
        return _token_of_machine()
    try:
        credentials, _ = auth.default(scopes=[_SCOPE])
        credentials.refresh(requests.Request())
    except auth.exceptions.GoogleAuthError as error:
        raise ConnectionError(
            f"no credentials for Google Cloud ({_reason(error)}): run gcloud "
            "auth application-default login, or give the TPU's address, "
            "--tpu_name=grpc://HOST:8470"
        ) from None
    return credentials.token


def _token_of_machine() -> str:
    path = "instance/service-accounts/default/token"
    try:
        described = json_files.parse(
            _metadata(path), path, {"access_token": str}
        )
    except urllib.error.HTTPError as error:
        raise ConnectionError(
            f"this machine has no account to ask Google Cloud with "
            f"({error.code}): create it with a service account and the scope "
            "cloud-platform"
        ) from None
    except (OSError, http.client.HTTPException) as error:
        raise ConnectionError(
            "no credentials for Google Cloud: no metadata server answers "
            f"({_reason(error)}), so this is not a machine of Google Cloud; "
            "elsewhere pip install 'google-auth[requests]' and gcloud auth "
            "application-default login, or give the TPU's address, "
            "--tpu_name=grpc://HOST:8470"
        ) from None
    return described["access_token"]


def _own(name: str, path: str, flag: str) -> str:
    """Returns what this machine's metadata server says, in place of a flag."""
    try:
        return _metadata(path).decode()
    except (OSError, http.client.HTTPException) as error:
        raise ConnectionError(
            f"--tpu_name={name} needs --{flag} off Google Cloud: no metadata "
            f"server says it ({_reason(error)})"
        ) from None


def _metadata(path: str) -> bytes:
    host = os.environ.get(_METADATA_VARIABLE) or _METADATA_HOST
    request = urllib.request.Request(
        f"http://{host}/computeMetadata/v1/{path}",
        headers={"Metadata-Flavor": "Google"},
    )
    # It is beside this machine, and behind no proxy.
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with direct.open(request, timeout=_TIMEOUT_SECS) as answer:
        return answer.read()


def _reason(error: Exception) -> str:
    text = str(getattr(error, "reason", None) or error)
    return " ".join(text.split())[:_SHOWN_CHARACTERS] or type(error).__name__
