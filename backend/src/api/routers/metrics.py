"""What Prometheus reads at `/metrics`: requests by route, connections, and how the schema fits the code.

Open to whoever reaches the port: let the proxy before it pass only `/api`, `/docs` and `/openapi.json` to the world.
"""

from fastapi import APIRouter, Request, Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from src.api.dependencies.sessions import OpenResources
from src.api.ops.metrics import Metrics

router = APIRouter(include_in_schema=False)


@router.get("/metrics")
async def read_metrics(request: Request, resources: OpenResources) -> Response:
    """In Prometheus' text format; answered within two seconds, whatever the database does."""
    metrics: Metrics = request.app.state.metrics
    metrics.note(await resources.readiness.status())
    return Response(generate_latest(metrics.registry), media_type=CONTENT_TYPE_LATEST)
