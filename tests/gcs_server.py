"""A stand-in for Google Cloud Storage on this machine, for TensorFlow's gs://.

TensorFlow has no flag for another address, but its libcurl takes a proxy and a
certificate from the environment. The stand-in is that proxy: it ends the TLS of
googleapis.com itself and answers from memory; every other host is refused, so
that nothing leaves the machine. It answers what TensorFlow asks of the JSON
API (cloud.google.com/storage/docs/json_api/v1): metadata, lists, downloads of
ranges, media and resumable uploads, rewrites, deletions. It must be a process
of its own, as TensorFlow holds Python's lock while it waits for an answer:

python -m tests.gcs_server cert.pem key.pem --bucket=bkt --fail_rate=0.1

prints its port, serves plain HTTP there too, and ends with its standard input.
"""

import argparse
import http.server
import json
import random
import re
import ssl
import sys
import threading
import time
import urllib.parse

HOSTS = ("www.googleapis.com", "storage.googleapis.com")
_RESUMABLE = 308


class Storage:
    """The objects of one bucket, and the uploads that are under way."""

    def __init__(self, bucket, page_size, fail_rate):
        self.bucket = bucket
        self.page_size = page_size
        self.lock = threading.Lock()
        self.objects = {}  # {name: (bytes, metadata)}
        self.uploads = {}  # {id: (name, bytearray)}
        self._fail_rate = fail_rate
        self._rng = random.Random(1)
        self._num_changes = 0

    def is_to_fail(self):
        """Whether the next request is one that fails."""
        with self.lock:
            return self._rng.random() < self._fail_rate

    def put(self, name, data):
        """Stores an object; returns its metadata."""
        self._num_changes += 1
        metadata = {
            "kind": "storage#object",
            "bucket": self.bucket,
            "name": name,
            "size": str(len(data)),
            "generation": str(self._num_changes),
            "updated": time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime()),
        }
        self.objects[name] = bytes(data), metadata
        return metadata

    def list(self, prefix, delimiter, page_token, max_results):
        """Returns a page of objects, and of prefixes up to a delimiter."""
        prefix = prefix or ""
        found = {}
        for name in sorted(self.objects):
            if not name.startswith(prefix):
                continue
            end = name.find(delimiter, len(prefix)) if delimiter else -1
            key = name[: end + len(delimiter)] if end >= 0 else name
            found[key] = end < 0
        rest = [key for key in found if key > (page_token or "")]
        page = rest[: min(int(max_results or 1000), self.page_size)]
        answer = {"kind": "storage#objects"}
        if len(page) < len(rest):
            answer["nextPageToken"] = page[-1]
        items = [self.objects[key][1] for key in page if found[key]]
        prefixes = [key for key in page if not found[key]]
        lists = {"items": items, "prefixes": prefixes}
        # The service leaves out what is empty.
        return answer | {kind: found for kind, found in lists.items() if found}


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_CONNECT(self):  # noqa: N802
        """Begins the TLS of a host and goes on as that host."""
        if self.path not in [f"{host}:443" for host in HOSTS]:
            self.send_error(403, f"{self.path} is not served here")
            return
        self.send_response_only(200)
        self.end_headers()
        self.request = self.server.tls.wrap_socket(
            self.request, server_side=True
        )
        self.setup()

    def finish(self):
        super().finish()
        self.request.close()

    def handle(self):
        try:
            super().handle()
        except OSError:
            # The client is gone, or was killed.
            self.close_connection = True

    def _serve(self):
        body = self._body()
        storage = self.server.storage
        url = urllib.parse.urlsplit(self.path)
        query = dict(urllib.parse.parse_qsl(url.query))
        answer, parts = _route(self.command, url.path, query)
        # What tests themselves ask, without TLS, is always answered.
        is_theirs = isinstance(self.request, ssl.SSLSocket)
        if is_theirs and storage.is_to_fail():
            self._fail(query.get("upload_id"), body)
        elif not answer or storage.bucket != parts[0]:
            self._refuse(404, "Not Found")
        else:
            with storage.lock:
                respond = answer(self, storage, query, body, *parts[1:])
            respond()

    do_GET = do_POST = do_PUT = do_DELETE = _serve  # noqa: N815

    def _body(self):
        # TensorFlow sends both; chunks go first (RFC 9112, 6.3).
        if self.headers.get("Transfer-Encoding", "").lower() != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length", 0)))
        chunks = []
        while size := int(self.rfile.readline().partition(b";")[0], 16):
            chunks.append(self.rfile.read(size))
            self.rfile.readline()
        while self.rfile.readline().strip():
            pass
        return b"".join(chunks)

    def _fail(self, upload_id, body):
        """Fails as a busy service does: what it has of an upload it keeps."""
        if upload_id in self.server.storage.uploads:
            _append(self, upload_id, body[: len(body) // 2])
        self._refuse(503, "Service Unavailable")

    def _refuse(self, status, message):
        error = {"error": {"code": status, "message": message}}
        self._send(status, json.dumps(error).encode())

    def _send(self, status, data=b"", **headers):
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", len(data))
        self.end_headers()
        self.wfile.write(data)

    def later(self, status, answer=None, **headers):
        """A function that answers with JSON, for when the lock is free."""
        data = b"" if answer is None else json.dumps(answer).encode()
        return lambda: self._send(status, data, **headers)

    def missing(self):
        return lambda: self._refuse(404, "No such object")


def _bucket(handler, storage, query, body):
    return handler.later(200, {"kind": "storage#bucket", "id": storage.bucket})


def _list(handler, storage, query, body):
    names = ("prefix", "delimiter", "pageToken", "maxResults")
    return handler.later(200, storage.list(*map(query.get, names)))


def _metadata(handler, storage, query, body, name):
    if name not in storage.objects:
        return handler.missing()
    return handler.later(200, storage.objects[name][1])


def _delete(handler, storage, query, body, name):
    if storage.objects.pop(name, None) is None:
        return handler.missing()
    return handler.later(204)


def _rewrite(handler, storage, query, body, old, bucket, new):
    if old not in storage.objects or bucket != storage.bucket:
        return handler.missing()
    resource = storage.put(new, storage.objects[old][0])
    return handler.later(200, {"done": True, "resource": resource})


def _download(handler, storage, query, body, name):
    if name not in storage.objects:
        return handler.missing()
    data, metadata = storage.objects[name]
    wanted = re.fullmatch(
        r"bytes=(\d+)-(\d*)", handler.headers.get("Range", "")
    )
    if not wanted:
        return lambda: handler._send(200, data)
    begin, last = int(wanted[1]), int(wanted[2] or len(data))
    if begin >= len(data):
        return handler.later(416, Content_Range=f"bytes */{len(data)}")
    part = data[begin : last + 1]
    stated = f"bytes {begin}-{begin + len(part) - 1}/{len(data)}"
    return lambda: handler._send(206, part, Content_Range=stated)


def _upload(handler, storage, query, body):
    """Stores an object at once, or begins a resumable upload."""
    if query["uploadType"] == "media":
        # Zero: only where there is none yet.
        if query.get("ifGenerationMatch") and query["name"] in storage.objects:
            return handler.later(412)
        return handler.later(200, storage.put(query["name"], body))
    upload_id = f"{len(storage.uploads)}"
    storage.uploads[upload_id] = query["name"], bytearray()
    place = (
        f"https://{HOSTS[0]}/upload/storage/v1/b/{storage.bucket}/o"
        f"?uploadType=resumable&upload_id={upload_id}"
    )
    return handler.later(200, Location=place)


def _go_on(handler, storage, query, body):
    """Takes more of a resumable upload; without more, says how much it has."""
    if query.get("upload_id") not in storage.uploads:
        return handler.missing()
    name, data = storage.uploads[query["upload_id"]]
    total = _append(handler, query["upload_id"], body)
    if total == str(len(data)):
        return handler.later(200, storage.put(name, data))
    # Without bytes there is no range to tell.
    held = {"Range": f"bytes=0-{len(data) - 1}"} if data else {}
    return handler.later(_RESUMABLE, **held)


def _append(handler, upload_id, body):
    """Adds a part to an upload; returns the size of the whole, as stated."""
    _, data = handler.server.storage.uploads[upload_id]
    # Where nothing is stated, the body is the whole, as of an empty object.
    header = handler.headers.get("Content-Range", f"bytes 0-0/{len(body)}")
    stated = re.fullmatch(r"bytes (?:\*|(\d+)-\d+)/(\d+|\*)", header)
    if stated[1]:
        begin = int(stated[1])
        assert begin <= len(data), f"{stated[0]}: {len(data)} bytes are here"
        data[begin:] = body
    return stated[2]


_ROUTES = (
    ("GET", r"/storage/v1/b/([^/]+)", _bucket),
    ("GET", r"/storage/v1/b/([^/]+)/o", _list),
    ("GET", r"/storage/v1/b/([^/]+)/o/([^/]+)", _metadata),
    ("DELETE", r"/storage/v1/b/([^/]+)/o/([^/]+)", _delete),
    (
        "POST",
        r"/storage/v1/b/([^/]+)/o/([^/]+)/rewriteTo/b/([^/]+)/o/([^/]+)",
        _rewrite,
    ),
    ("POST", r"/upload/storage/v1/b/([^/]+)/o", _upload),
    ("PUT", r"/upload/storage/v1/b/([^/]+)/o", _go_on),
    ("GET", r"/([^/]+)/(.+)", _download),
)


def _route(method, path, query):
    """Returns the function that answers a request, and its arguments."""
    for wanted, pattern, answer in _ROUTES:
        match = re.fullmatch(pattern, path)
        if match and method == wanted:
            return answer, [urllib.parse.unquote(x) for x in match.groups()]
    return None, []


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("certificate")
    parser.add_argument("key")
    parser.add_argument("--bucket", default="bkt")
    parser.add_argument("--page_size", type=int, default=1000)
    parser.add_argument("--fail_rate", type=float, default=0)
    args = parser.parse_args()
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.tls.load_cert_chain(args.certificate, args.key)
    server.storage = Storage(args.bucket, args.page_size, args.fail_rate)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    print(server.server_port, flush=True)
    sys.stdin.read()


if __name__ == "__main__":
    main()
