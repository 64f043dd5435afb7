"""The page at /docs: the addresses and their fields, of the OpenAPI document.

It is one file, without links to elsewhere and without scripts.
"""

import html
import json
from collections.abc import Mapping
from typing import Any

from pages import frame

HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; "
        "frame-ancestors 'none'"
    )
}


def page(document: Mapping[str, Any]) -> str:
    """Returns HTML.

    Args:
        document: what /openapi.json says.
    """
    parts = [
        frame.title(1, "The interface", "接口"),
        "<p>"
        + frame.both(
            "Every error is {&quot;error&quot;: {&quot;message&quot;, "
            "&quot;type&quot;, &quot;param&quot;, &quot;code&quot;}}. "
            "/openapi.json describes the same for programs.",
            "出错时一律返回上述格式；程序请读 /openapi.json。",
        )
        + "</p>",
    ]
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            parts.append(_operation(document, path, method, operation))
    return frame.document("Hanlin", "".join(parts))


def _operation(document, path, method, operation):
    text = html.escape(operation.get("description", ""))
    parts = [f"<h2><code>{method.upper()} {path}</code></h2><p>{text}</p>"]
    body = operation.get("requestBody")
    if body:
        name = body["content"]["application/json"]["schema"]["$ref"]
        form = document["components"]["schemas"][name.rsplit("/", 1)[1]]
        parts.append(_fields(form))
        example = {
            key: value["examples"][0]
            for key, value in form["properties"].items()
            if key in form["required"]
        }
        data = json.dumps(example, ensure_ascii=False)
        command = (
            f"curl http://127.0.0.1:8000{path} \\\n"
            f"  -H 'Content-Type: application/json' \\\n  -d '{data}'"
        )
        parts.append(f"<pre>{html.escape(command)}</pre>")
    return "".join(parts)


def _fields(form):
    rows = "".join(
        f"<tr><td><code>{name}</code></td>"
        f"<td>{'*' if name in form['required'] else ''}</td>"
        f"<td>{html.escape(field.get('description', ''))}</td>"
        f"<td>{html.escape(json.dumps(field.get('default')))}</td></tr>"
        for name, field in form["properties"].items()
    )
    return f"<table>{rows}</table>"
