"""Applications of ASGI 3 as resources: FastAPI's, Starlette's, Django's, and all others that stand on it."""

from typing import TYPE_CHECKING

from torsion.web.asgi.runner import AsyncRunner, IAsyncRunnerMaker, RunnerMaker, findRunner

if TYPE_CHECKING:
    from torsion.web.asgi.resource import ASGIResource

__all__ = ["ASGIResource", "AsyncRunner", "IAsyncRunnerMaker", "RunnerMaker", "findRunner"]

if not TYPE_CHECKING:  # a type checker would take it that every name is here

    def __getattr__(name: str) -> object:
        """Load the resource when it is asked for: whoever looks for plugins loads the rest, and has no use for all of the web."""
        if name != "ASGIResource":
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        from torsion.web.asgi.resource import ASGIResource

        globals()[name] = ASGIResource
        return ASGIResource
