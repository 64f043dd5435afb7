"""The stand-in for Google Cloud Storage as a process, and programs on it."""

import http.client
import json
import shutil
import subprocess
import sys
import urllib.parse

import pytest

from tests import project

TIMEOUT_SECS = 600


class Cloud:
    """The stand-in as a process, its bucket, and programs that see it."""

    def __init__(self, folder, fail_rate):
        certificate, key = _make_certificate(folder)
        self._log = folder / "log"
        self._process = subprocess.Popen(
            [
                *(sys.executable, "-m", "tests.gcs_server", certificate, key),
                *("--page_size=3", f"--fail_rate={fail_rate}"),
            ],
            cwd=project.ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log.open("wb"),
        )
        self.port = int(self._process.stdout.readline())
        self.environment = project.environment() | {
            "https_proxy": f"http://127.0.0.1:{self.port}",
            "CURL_CA_BUNDLE": certificate,
            "GOOGLE_AUTH_TOKEN_FOR_TESTING": "token",
            "NO_GCE_CHECK": "true",
            "GCS_RETRY_CONFIG_INIT_DELAY_TIME_US": "0",
        }
        for name in ("no_proxy", "NO_PROXY", "all_proxy", "ALL_PROXY"):
            self.environment.pop(name, None)

    def stop(self):
        self._process.stdin.close()
        self._process.wait(TIMEOUT_SECS)

    def num_failures(self):
        """How many requests of the programs were answered with 503."""
        return self._log.read_text().count(' HTTP/1.1" 503 ')

    def ask(self, method, path, body=None):
        """Returns the status and the body of the stand-in's answer."""
        link = http.client.HTTPConnection("127.0.0.1", self.port)
        link.request(method, path, body)
        answer = link.getresponse()
        return answer.status, answer.read()

    def put(self, name, data):
        query = urllib.parse.urlencode({"uploadType": "media", "name": name})
        path = f"/upload/storage/v1/b/bkt/o?{query}"
        assert self.ask("POST", path, data)[0] == 200

    def get(self, name):
        status, data = self.ask("GET", "/bkt/" + urllib.parse.quote(name))
        assert status == 200, name
        return data

    def generations(self, prefix):
        """{name: its version} of the objects under a prefix."""
        found, token = {}, ""
        while token is not None:
            query = {"prefix": prefix, "pageToken": token}
            path = "/storage/v1/b/bkt/o?" + urllib.parse.urlencode(query)
            page = json.loads(self.ask("GET", path)[1])
            for item in page.get("items", []):
                found[item["name"].removeprefix(prefix)] = item["generation"]
            token = page.get("nextPageToken")
        return found

    def start(self, *command):
        return subprocess.Popen(
            [sys.executable, *command],
            cwd=project.ROOT,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def run(self, *command):
        """Returns the status of a program and what it said."""
        process = self.start(*command)
        said, _ = process.communicate(timeout=TIMEOUT_SECS)
        return process.returncode, said


def _make_certificate(folder):
    """Makes a certificate of Google's hosts that only these tests trust."""
    if not shutil.which("openssl"):
        pytest.skip("no certificate: the program openssl is absent")
    certificate, key = str(folder / "cert.pem"), str(folder / "key.pem")
    made = subprocess.run(
        [
            *("openssl", "req", "-x509", "-days", "1", "-nodes"),
            *("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"),
            *("-keyout", key, "-out", certificate, "-subj", "/CN=tests"),
            "-addext",
            "subjectAltName=DNS:www.googleapis.com,DNS:storage.googleapis.com",
        ],
        capture_output=True,
        text=True,
    )
    assert made.returncode == 0, made.stderr
    return certificate, key
