"""The server's application: what stands at which address."""

import asyncio
import base64
import contextlib
import mimetypes
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Any

import fastapi
import numpy as np
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse, Response
from starlette.exceptions import HTTPException

from serving import inputs, manual, metrics
from serving.forms import EmbeddingsForm, Failed, FillMaskForm, PredictForm
from serving.guard import PAGE, Guard
from serving.refusals import RefusedError, encode
from serving.service import Service

_JSON = "application/json"
_FAILURES: dict[int | str, dict[str, Any]] = {
    "4XX": {"model": Failed, "description": "The request is wrong."},
    "5XX": {"model": Failed, "description": "Not now; try again."},
}


def make(service: Service, keys: Sequence[str] = ()) -> Guard:
    """Returns the ASGI application, with all that stands before it.

    Args:
        service: answers; it is stopped where the application ends.
        keys: of which a request must bear one; none: all may ask.
    """
    app = FastAPI(
        title="Hanlin",
        description="Fine-tuned models answer, pretrained ones make vectors "
        "and fill masks.",
        docs_url=None,
        redoc_url=None,
        lifespan=_lifespan(service),
    )
    _handle_errors(app)
    _add_models(app, service)
    _add_vectors(app, service)
    _add_states(app, service)
    _add_pages(app)
    return Guard(app, service, keys)


def _lifespan(service: Service) -> Callable[[FastAPI], Any]:
    @contextlib.asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        watch = asyncio.create_task(service.watch())
        yield
        watch.cancel()
        await asyncio.to_thread(service.stop)

    return lifespan


def _handle_errors(app: FastAPI) -> None:
    @app.exception_handler(RequestValidationError)
    async def invalid(
        request: Request, error: RequestValidationError
    ) -> Response:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"][1:])) or "the body"
        return _refusal(
            RefusedError(
                400, f"{place}: {first['msg']}", "invalid_request", param=place
            )
        )

    @app.exception_handler(HTTPException)
    async def other(request: Request, error: HTTPException) -> Response:
        return _refusal(
            RefusedError(
                error.status_code, str(error.detail), headers=error.headers
            )
        )

    @app.exception_handler(RefusedError)
    async def refused(request: Request, error: RefusedError) -> Response:
        return _refusal(error)


def _refusal(error: RefusedError) -> Response:
    return Response(
        error.body, error.status, headers=error.headers, media_type=_JSON
    )


def _json(value: Any) -> Response:
    return Response(encode(value), media_type=_JSON)


def _check(service: Service, name: str, asked: Sequence[inputs.Input]) -> None:
    """Refuses too many or too long inputs."""
    config = service.config
    if len(asked) > config.max_inputs:
        raise RefusedError(
            400,
            f"{name} has {len(asked)} entries, and {config.max_inputs} may be",
            "too_many_inputs",
            param=name,
        )
    for number, one in enumerate(asked):
        if inputs.characters(one) > config.max_characters:
            raise RefusedError(
                400,
                f"{name}[{number}] has more than {config.max_characters} "
                "characters",
                "input_too_long",
                param=name,
            )


def _add_models(app: FastAPI, service: Service) -> None:
    @app.get("/v1/models", responses=_FAILURES)
    async def models() -> Response:
        """All models, and what each of them can do."""
        data = [model.describe() for model in service.models.values()]
        return _json({"object": "list", "data": data})

    @app.post("/v1/predict", responses=_FAILURES)
    async def predict(form: PredictForm) -> Response:
        """Answers of a fine-tuned model."""
        _check(service, "inputs", form.inputs)
        model = service.find(form.model, "predict")
        _, answers = await service.answer(lambda: model.predict(form.inputs))
        return _json({"model": model.name, "answers": answers})

    @app.post("/v1/fill-mask", responses=_FAILURES)
    async def fill_mask(form: FillMaskForm) -> Response:
        """The likeliest words in the place of masks."""
        _check(service, "inputs", form.inputs)
        model = service.find(form.model, "fill-mask")
        _, answers = await service.answer(
            lambda: model.fill(form.inputs, form.top_k)
        )
        return _json({"model": model.name, "answers": answers})


def _add_vectors(app: FastAPI, service: Service) -> None:
    @app.post("/v1/embeddings", responses=_FAILURES)
    async def embeddings(form: EmbeddingsForm) -> Response:
        """Vectors of texts, as OpenAI's clients ask for them."""
        _check(service, "input", form.texts)
        model = service.find(form.model, "embeddings")
        if form.dimensions not in (None, model.width):
            raise RefusedError(
                400,
                f"the vectors of {model.name} have {model.width} dimensions",
                "dimensions",
                param="dimensions",
            )
        plan, values = await service.answer(
            lambda: model.embed(
                form.texts,
                layers=form.written_layers,
                pooling=form.pooling,
                normalize=form.normalize,
                truncate=form.truncate,
            )
        )
        data = [
            {"object": "embedding", "index": number, "embedding": vector}
            for number, vector in enumerate(
                _vectors(values, form.encoding_format)
            )
        ]
        tokens = plan.num_tokens
        return _json(
            {
                "object": "list",
                "data": data,
                "model": model.name,
                "usage": {"prompt_tokens": tokens, "total_tokens": tokens},
            }
        )


def _vectors(values: np.ndarray, encoding: str) -> list[Any]:
    """Returns vectors as numbers, or as their float32 in base64."""
    if encoding == "float":
        return values.tolist()
    little = values.astype("<f4")
    return [base64.b64encode(row.tobytes()).decode() for row in little]


def _add_states(app: FastAPI, service: Service) -> None:
    @app.get("/healthz", responses=_FAILURES)
    async def healthz() -> Response:
        """Whether the process answers."""
        return _json({"status": "ok"})

    @app.get("/readyz", responses=_FAILURES)
    async def readyz() -> Response:
        """Whether requests are answered: 503 before and at the end."""
        if service.is_draining or not service.is_ready:
            state = "ending" if service.is_draining else "the models are read"
            raise RefusedError(503, state, "not_ready")
        return _json({"status": "ready"})

    @app.get("/metrics", response_class=fastapi.responses.PlainTextResponse)
    async def numbers() -> Response:
        """Counts, for Prometheus."""
        text = service.metrics.text(service.gauges())
        return Response(text, media_type=metrics.TYPE)


def _add_pages(app: FastAPI) -> None:
    @app.get("/docs", include_in_schema=False)
    async def docs() -> Response:
        return HTMLResponse(manual.page(app.openapi()), headers=manual.HEADERS)

    @app.get("/", include_in_schema=False)
    async def index() -> Response:
        return _file("index.html")

    @app.get("/{name}", include_in_schema=False)
    async def file(name: str) -> Response:
        return _file(name)


def _file(name: str) -> Response:
    """Returns a file of the page; a name that is none of its is no path."""
    for path in PAGE.iterdir():
        if path.name == name and path.is_file():
            kind = mimetypes.guess_type(name)[0] or "application/octet-stream"
            return Response(path.read_bytes(), media_type=kind)
    raise RefusedError(404, "there is no such page", "not_found")
