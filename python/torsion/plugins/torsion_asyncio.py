"""asyncio's coroutines, run for the web's applications."""

from torsion.web.asgi.runner import RunnerMaker

__all__ = ["asyncio_runner"]

asyncio_runner = RunnerMaker("asyncio", "torsion.interop.asyncio.runnerFor")
