"""Serves models over HTTP: answers, vectors, words for masks, and a page.

python -m tools.serve --model_dir=output/reviews,output/pretrained --port=8000

curl http://127.0.0.1:8000/v1/predict -H 'Content-Type: application/json' \\
    -d '{"model": "reviews", "inputs": ["这家店的菜很好吃"]}'

docs/serving.md has the interface and its bounds, and so has the page /docs of
a server that runs.
"""

import config_flags
from serving.config import ServeConfig
from storage import tensorflow_start


def run(config: ServeConfig) -> None:
    """Looks at the folders and keys, and only then imports what takes long."""
    config.directories()
    config.keys()
    try:
        import fastapi  # noqa: F401
        import uvicorn  # noqa: F401
    except ImportError as error:
        raise ValueError(
            f"tools.serve needs {error.name}: pip install -e '.[serve]'"
        ) from None
    if config.engine == "ray":
        from serving import replicas

        replicas.run(config)
        return
    with tensorflow_start.quiet():
        from serving import process
    process.run(config)


if __name__ == "__main__":
    config_flags.run(run, ServeConfig)
