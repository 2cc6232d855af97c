"""Every route of the application, with a request that would succeed, and what becomes of it for each sort of person.

The order matters: every request comes before the one that takes away what it needs.
"""

from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

NOBODY, STUDENT, OTHER, ADMINISTRATOR = PEOPLE = ("nobody", "student", "other", "administrator")
Statuses = tuple[int, int, int, int]

EVERYBODY: Statuses = (200, 200, 200, 200)
SIGNED_IN: Statuses = (401, 200, 200, 200)
OWNER: Statuses = (401, 200, 404, 404)
OWNER_OR_ADMINISTRATOR: Statuses = (401, 200, 404, 200)
ADMINISTRATORS: Statuses = (401, 403, 403, 200)

CONVERSATION, MESSAGE, SUBMISSION, PERSON = UUID(int=1), UUID(int=2), UUID(int=3), UUID(int=4)
"""All of them the student's; `PERSON` is the student, who shows a profile."""
IDS = {"person": PERSON, "message": MESSAGE, "conversation": CONVERSATION, "submission": SUBMISSION}
SEED = """
INSERT INTO modules (slug, title, description, position, is_published) VALUES ('m', 'M', '', 1, true);
INSERT INTO chapters (module_id, slug, title, description, position, is_published)
    SELECT id, 'c', 'C', 'words', 1, true FROM modules;
INSERT INTO translations (chapter_id, language_code, title, description) SELECT id, 'de', 'C', '' FROM chapters;
UPDATE users SET id = '{person}' WHERE email = 'student@example.org';
INSERT INTO user_profiles (user_id, show_progress_publicly) VALUES ('{person}', true);
INSERT INTO chat_messages (id, user_id, conversation_session_id, query, response)
    VALUES ('{message}', '{person}', '{conversation}', 'Why?', 'Because.');
INSERT INTO capstone_submissions (id, user_id, title, description) VALUES ('{submission}', '{person}', 'Rover', '');
"""

_MODULE = {"slug": "m", "title": "M", "is_published": True}
_CHAPTER = {"slug": "c", "title": "C", "is_published": True}
_CHUNK = {"content": "words", "embedding": [1.0] + [0.0] * 1535}
_SAID = {"query": "Why?", "response": "Because."}


def changed(statuses: Statuses, success: int) -> Statuses:
    """`statuses` with another success than 200."""
    nobody, student, other, administrator = (success if status == 200 else status for status in statuses)
    return nobody, student, other, administrator


@dataclass(frozen=True)
class Step:
    """A request to a route, by what its path stands for and what is sent."""

    route: str
    statuses: Statuses
    path: dict[str, Any] = field(default_factory=dict)
    sent: dict[str, Any] = field(default_factory=dict)

    @property
    def method(self) -> str:
        return self.route.partition(" ")[0]

    @property
    def address(self) -> str:
        """The path, below `/api/v1/` unless it begins with a slash."""
        template = self.route.partition(" ")[2].removeprefix("/api/v1/")
        return template.format(**{**NAMES, **self.path})


NAMES = {
    "module": "m",
    "chapter": "c",
    "language": "de",
    "conversation": CONVERSATION,
    "message": MESSAGE,
    "submission_id": SUBMISSION,
    "user_id": PERSON,
}
_ANY_VERSION = {"headers": {"If-Match": "*"}}


def step(route: str, statuses: Statuses, *, path: dict[str, Any] | None = None, **sent: Any) -> Step:
    """A step; `json`, `data` and `headers` are sent, with an If-Match that every version fits."""
    return Step(route, statuses, path or {}, {**_ANY_VERSION, **sent})


_M = "/api/v1/modules"
_C = "/api/v1/modules/{module}/chapters"

STEPS = (
    # Read
    step(f"GET {_M}", EVERYBODY),
    step(f"GET {_M}/{{module}}", EVERYBODY),
    step(f"GET {_C}/{{chapter}}", EVERYBODY),
    step("GET /api/v1/progress", SIGNED_IN),
    step(f"GET {_C}/{{chapter}}/progress", SIGNED_IN),
    step(f"GET {_C}/{{chapter}}/statistics", ADMINISTRATORS),
    step(f"GET {_C}/{{chapter}}/translations", ADMINISTRATORS),
    step(f"GET {_C}/{{chapter}}/translations/{{language}}", ADMINISTRATORS),
    step("POST /api/v1/search", EVERYBODY, json={"text": "words"}),
    step("GET /api/v1/chat/conversations", SIGNED_IN),
    step("GET /api/v1/chat/conversations/{conversation}/messages", OWNER),
    step("GET /api/v1/profiles/{user_id}", EVERYBODY),
    step("GET /api/v1/me", SIGNED_IN),
    step("GET /api/v1/me/profile", SIGNED_IN),
    step("GET /api/v1/capstone/submissions", SIGNED_IN),
    step("GET /api/v1/capstone/submissions/{submission_id}", OWNER_OR_ADMINISTRATOR),
    step("GET /api/v1/capstone/queue", ADMINISTRATORS),
    # Write
    step(f"POST {_M}", changed(ADMINISTRATORS, 201), json=_MODULE | {"slug": "new"}),
    step(f"PATCH {_M}", changed(ADMINISTRATORS, 204), json={"order": ["new", "m"]}),
    step(f"PUT {_M}/{{module}}", ADMINISTRATORS, json=_MODULE),
    step(f"POST {_C}", changed(ADMINISTRATORS, 201), json=_CHAPTER | {"slug": "new"}),
    step(f"PATCH {_C}", changed(ADMINISTRATORS, 204), json={"order": ["new", "c"]}),
    step(f"PUT {_C}/{{chapter}}", ADMINISTRATORS, json=_CHAPTER),
    step(f"PUT {_C}/{{chapter}}/progress", SIGNED_IN, json={"progress_percentage": 50}),
    step(f"PUT {_C}/{{chapter}}/translations/{{language}}", ADMINISTRATORS, json={"title": "C"}),
    step(f"PUT {_C}/{{chapter}}/embeddings", ADMINISTRATORS, json={"chunks": [_CHUNK]}),
    step(
        "POST /api/v1/chat/conversations/{conversation}/messages",
        changed(SIGNED_IN, 201),
        path={"conversation": UUID(int=9)},
        json=_SAID,
    ),
    step("PUT /api/v1/chat/messages/{message}/rating", OWNER, json={"rating": 5}),
    # Without a service for answers nobody gets any; who asks is looked at first.
    step("POST /api/v1/chat/conversations/{conversation}/questions", (401, 503, 503, 503), json={"query": "Why?"}),
    step("PATCH /api/v1/me", SIGNED_IN, json={"theme": "dark"}),
    step("PATCH /api/v1/me/profile", SIGNED_IN, json={"country": "AT"}),
    step(
        "POST /api/v1/capstone/submissions", changed(SIGNED_IN, 201), json={"title": "Rover", "description": "Rolls."}
    ),
    step("PATCH /api/v1/capstone/submissions/{submission_id}", OWNER, json={"title": "Rover 2"}),
    step("PUT /api/v1/capstone/submissions/{submission_id}/review", ADMINISTRATORS, json={"status": "approved"}),
    # Take away
    step("DELETE /api/v1/chat/conversations/{conversation}", changed(OWNER, 204)),
    step(f"DELETE {_C}/{{chapter}}/translations/{{language}}", changed(ADMINISTRATORS, 204)),
    step(f"DELETE {_C}/{{chapter}}", changed(ADMINISTRATORS, 204)),
    step(f"DELETE {_M}/{{module}}", changed(ADMINISTRATORS, 204)),
    # Accounts, and at the end what ends the tokens that all of this was asked with
    step("POST /api/v1/accounts", (422, 422, 422, 422), json={}),
    step("POST /api/v1/auth/token", (401, 401, 401, 401), data={"username": "nobody@example.org", "password": "x"}),
    step("POST /api/v1/auth/renew", (401, 401, 401, 401), json={"refresh_token": "x"}),
    step(
        "PUT /api/v1/me/password",
        (401, 403, 403, 403),
        json={"current_password": "x", "new_password": "a battery that is stapled"},
    ),
    step("DELETE /api/v1/me", changed(SIGNED_IN, 204)),
    step("POST /api/v1/auth/sign-out", (401, 401, 401, 401)),
    # Of the service
    step("GET /livez", EVERYBODY),
    step("GET /readyz", EVERYBODY),
    step("GET /metrics", EVERYBODY),
)
