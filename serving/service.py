"""The models of a server, and the way of a request through them.

The event loop only waits: texts are read in one thread, rows are computed in
another, and models are read and compiled in a third.
"""

import asyncio
import os
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from absl import logging

from serving import batching, models
from serving.config import ServeConfig
from serving.metrics import Metrics
from serving.models import Model, Plan
from serving.refusals import RefusedError, stopping

_SECS_AFTER_429 = "1"


class Service:
    """Answers requests.

    Args:
        config: of the server.

    Raises:
        ValueError: a folder is missing.
    """

    def __init__(self, config: ServeConfig):
        self.config = config
        self.metrics = Metrics()
        self.models: dict[str, Model] = {}
        self.is_ready = False
        self.is_draining = False
        # Requests that were taken and are not answered yet.
        self.num_open = 0
        self._directories = config.directories()
        self._seen = {n: _state(d) for n, d in self._directories.items()}
        self._texts = ThreadPoolExecutor(1, "texts")
        self._loads = ThreadPoolExecutor(1, "loads")
        self._batcher = batching.Batcher(
            batch_size=config.batch_size,
            max_wait_secs=config.max_wait_ms / 1000,
            max_queue=config.max_queue,
            observe=self.metrics.batch,
        )

    async def start(self) -> None:
        """Reads and compiles all models; the server is ready then.

        Raises:
            ValueError: one cannot be read.
        """
        loop = asyncio.get_running_loop()
        for name, directory in self._directories.items():
            self.models[name] = await loop.run_in_executor(
                self._loads, models.load, name, directory, self.config
            )
            logging.info("%s is ready: %s", name, self.models[name].kind)
        self.is_ready = True

    async def watch(self) -> None:
        """Reads models anew whose files changed, and are whole and quiet.

        The old one answers until the new one is compiled, and goes on where it
        cannot be read.
        """
        loop = asyncio.get_running_loop()
        changed: dict[str, Any] = {}
        while self.config.reload_secs:
            await asyncio.sleep(self.config.reload_secs)
            for name, directory in self._directories.items():
                state = await loop.run_in_executor(
                    self._loads, _state, directory
                )
                if state == self._seen[name]:
                    continue
                if changed.get(name) != state:  # It may still be written.
                    changed[name] = state
                    continue
                self._seen[name] = state
                await self._reload(name, directory)

    async def _reload(self, name, directory):
        loop = asyncio.get_running_loop()
        try:
            self.models[name] = await loop.run_in_executor(
                self._loads, models.load, name, directory, self.config
            )
        except Exception as error:
            logging.error(
                "%s changed and cannot be read, the model of before goes on: "
                "%s",
                directory,
                error,
            )
            return
        logging.info("%s changed and was read anew", directory)

    def stop(self) -> None:
        """Ends the threads, once all that was taken is computed."""
        self._batcher.stop()
        self._texts.shutdown()
        self._loads.shutdown(cancel_futures=True)

    def find(self, name: str | None, ability: str) -> Any:
        """Returns the model that a request names, or the one that can do it.

        Raises:
            RefusedError: there is none, or there are several.
        """
        if not self.is_ready:
            raise RefusedError(
                503,
                "the models are being read",
                "not_ready",
                headers={"Retry-After": "5"},
            )
        able = [n for n, x in self.models.items() if ability in x.can]
        if name is None:
            if len(able) == 1:
                return self.models[able[0]]
            wrong = f"name one as model: {', '.join(able)}"
            if not able:
                wrong = f"no model here can do {ability}"
            raise RefusedError(400, wrong, "model_missing", param="model")
        if name not in self.models:
            raise RefusedError(
                404,
                f"there is no such model; there are {', '.join(self.models)}",
                "model_not_found",
                param="model",
            )
        if name not in able:
            raise RefusedError(
                400,
                f"{name} cannot do {ability}, but {', '.join(able) or 'none'}",
                "model_cannot",
                param="model",
            )
        return self.models[name]

    async def answer(self, make_plan: Callable[[], Plan]) -> tuple[Plan, Any]:
        """Returns the plan of a request and its answer.

        Raises:
            RefusedError: it is wrong, too much waits, or it took too long.
        """
        deadline = self.config.deadline_secs
        self.num_open += 1
        try:
            async with asyncio.timeout(deadline):
                return await self._answer(make_plan, deadline)
        except ValueError as error:
            raise RefusedError(400, str(error), "invalid_input") from None
        except (TimeoutError, batching.DeadlineError):
            raise RefusedError(
                504, f"not answered in {deadline:g} seconds", "deadline"
            ) from None
        except batching.QueueFullError as error:
            raise RefusedError(
                429,
                f"too many requests: {error}",
                "queue_full",
                headers={"Retry-After": _SECS_AFTER_429},
            ) from None
        except batching.StoppedError:
            raise stopping() from None
        finally:
            self.num_open -= 1

    async def _answer(self, make_plan, deadline):
        loop = asyncio.get_running_loop()
        end = time.monotonic() + deadline
        self._batcher.expect(1)
        try:
            plan = await loop.run_in_executor(self._texts, make_plan)
            future = self._batcher.submit(plan.compute, plan.rows, end)
        finally:
            self._batcher.expect(-1)
        self.metrics.tokens(plan.num_tokens)
        outputs = await asyncio.wrap_future(future)
        return plan, await loop.run_in_executor(
            self._texts, plan.finish, outputs
        )

    def gauges(self) -> dict[str, float]:
        """Returns what /metrics says of this moment."""
        return {
            "ready": int(self.is_ready and not self.is_draining),
            "models": len(self.models),
            "open_requests": self.num_open,
            "waiting_rows": self._batcher.num_waiting,
        }


def _state(directory: str) -> tuple[tuple[str, int, int], ...]:
    """Returns what changes where a model's files do: names, sizes, times."""
    return tuple(sorted(_files(directory, depth=1)))


def _files(directory: str, depth: int) -> Iterable[tuple[str, int, int]]:
    with os.scandir(directory) as entries:
        for entry in entries:
            if entry.is_dir() and depth:
                yield from _files(entry.path, depth - 1)
            elif entry.is_file():
                found = entry.stat()
                yield entry.path, found.st_size, found.st_mtime_ns
