"""Answers that a client may keep, with the version of exactly these bytes."""

from datetime import datetime

from fastapi import Request, Response

from src.api.http.etag import content_etag, etag, is_current, not_modified


def represent(
    request: Request, json: str, *, updated_at: datetime | None = None, headers: dict[str, str] | None = None
) -> Response:
    """`json` as it is, or 304 for whoever has it; `updated_at` is that of the row that a change is based on.

    It may depend on who asks, so a cache keeps it for each: `Vary`.
    """
    body = json.encode()
    tag = content_etag(body) if updated_at is None else etag(updated_at, body)
    sent = {"Vary": "Authorization"} | (headers or {})
    if is_current(request, tag):
        answer = not_modified(tag)
        answer.headers.update(sent)
        return answer
    return Response(body, headers={"ETag": tag} | sent, media_type="application/json")
