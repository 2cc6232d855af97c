"""Whom a step waits for that takes something away.

A contract: every process that is connected and was built for a schema without it. The downgrade of an expand: every one
that was built for a schema with it.
"""

from collections.abc import Collection, Mapping, Sequence

from alembic_online.policy import Policy
from alembic_online.releases.alive import Release, Session, releases
from alembic_online.releases.label import Label, known
from alembic_online.releases.phase import Step, below, heads_of


def older_than(
    revision: str, steps: Mapping[str, Step], sessions: Sequence[Session], policy: Policy, own_roles: Collection[str]
) -> list[Release]:
    """The releases that do not have `revision`, and the sessions that say nothing, as far as the policy counts them.

    What was built for a revision that nobody knows is waited for as well.
    """
    ours = [each for each in sessions if each.label is not None and each.label.is_of(policy.product)]
    counted = _unknown(sessions, policy.unknown_sessions, {*own_roles, *(each.role for each in ours)})
    meant = known(steps, heads_of(steps))
    return releases([*(each for each in ours if not _has(each.label, revision, steps, meant)), *counted])


def built_with(revision: str, steps: Mapping[str, Step], sessions: Sequence[Session], policy: Policy) -> list[Release]:
    """The releases that have `revision`, or were built for what nobody knows: they may use what it made.

    A session that says nothing does not count: it was there before anybody said anything.
    """
    ours = [each for each in sessions if each.label is not None and each.label.is_of(policy.product)]
    meant = known(steps, heads_of(steps))
    strangers = [each for each in ours if each.label and not set(each.label.heads.split(",")) <= meant.keys()]
    return releases([each for each in ours if each in strangers or _has(each.label, revision, steps, meant)])


def _unknown(sessions: Sequence[Session], policy: str, application: Collection[str]) -> list[Session]:
    """Those that say nothing, and count."""
    unsaid = [each for each in sessions if each.label is None]
    match policy:
        case "none":
            return []
        case "all":
            return unsaid
        case "role":
            return [each for each in unsaid if each.role in application]
        case _:
            roles = {each.strip() for each in policy.split(",")}
            return [each for each in unsaid if each.role in roles]


def _has(label: Label | None, revision: str, steps: Mapping[str, Step], meant: Mapping[str, tuple[str, ...]]) -> bool:
    """Whether all that it was built for includes `revision`."""
    assert label is not None, "asked above"
    built_for = (revision for words in label.heads.split(",") for revision in meant.get(words, ()))
    return revision in below(steps, tuple(built_for))
