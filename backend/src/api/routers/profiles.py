"""Profiles: one's own, and what others show."""

from http import HTTPStatus
from uuid import UUID

from fastapi import Response

from src.api.dependencies.auth import SignedIn
from src.api.dependencies.sessions import Reads, ReadSession, Session
from src.api.http.problems import ProblemError
from src.api.http.routing import Resource
from src.api.schemas.profiles import Profile, ProfileChange, PublicProfile
from src.db.queries import profiles

router = Resource(tag="profiles")


@router.get("/me/profile")
async def read_my_profile(viewer: SignedIn, session: ReadSession) -> Profile:
    """My profile; an empty one until I change it."""
    return _profile(await profiles.read(session, viewer.id))


@router.patch("/me/profile")
async def change_my_profile(change: ProfileChange, viewer: SignedIn, session: Session) -> Profile:
    """Change some of my profile."""
    changes = change.changes()
    found = await (profiles.change(session, viewer.id, changes) if changes else profiles.read(session, viewer.id))
    return _profile(found)


@router.get("/profiles/{user_id}", responses={HTTPStatus.OK: {"model": PublicProfile}})
async def read_profile(user_id: UUID, reader: Reads) -> Response:
    """What somebody shows. 404 for who does not, and for who is not there: nobody learns which."""
    body = await profiles.public(reader, user_id)
    if body is None:
        raise ProblemError(HTTPStatus.NOT_FOUND, "Nobody shows a profile here.")
    return Response(body, media_type="application/json")


def _profile(found: profiles.ProfileRow | None) -> Profile:
    if found is None:  # deleted since the token was read
        raise ProblemError(HTTPStatus.NOT_FOUND, "This account is no longer there.")
    return Profile.model_validate(found)
