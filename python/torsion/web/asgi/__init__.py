"""Applications of ASGI 3 as resources: FastAPI's, Starlette's, Django's, and all others that stand on it."""

from torsion.web.asgi.resource import ASGIResource
from torsion.web.asgi.runner import AsyncRunner, IAsyncRunnerMaker, RunnerMaker, findRunner

__all__ = ["ASGIResource", "AsyncRunner", "IAsyncRunnerMaker", "RunnerMaker", "findRunner"]
