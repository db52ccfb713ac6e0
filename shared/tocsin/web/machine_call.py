"""A call that machines post to at speed: who asks, the Idempotency-Key and the path are read without detours.

FastAPI works out for every request what a call depends on, by means that fit any call: for these, which depend on three
things, that costs as much as understanding the body. What is documented stays what the signature says.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import Request
from fastapi.routing import APIRoute
from starlette.responses import Response

from tocsin.web.identity import bearer, machine


class MachineCall(APIRoute):
    """A route whose endpoint takes `request`, `who`, `idempotency_key`, and the parts of its path as text.

    TypeError when it takes anything else. Give it to an APIRouter as its `route_class`.
    """

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        endpoint = self.endpoint
        takes, given = set(inspect.signature(endpoint).parameters), {"request", "who", "idempotency_key"}
        if takes != given | set(self.param_convertors):
            raise TypeError(
                f"{self.name} takes {', '.join(sorted(takes))}; "
                f"allowed is {', '.join(sorted(given | set(self.param_convertors)))}"
            )

        async def handle(request: Request) -> Response:
            who = await machine(request, await bearer(request))
            key = request.headers.get("idempotency-key")
            answer: Response = await endpoint(request=request, who=who, idempotency_key=key, **request.path_params)
            return answer

        return handle
