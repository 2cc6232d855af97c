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
    ours = _ours(sessions, policy)
    counted = _unknown(sessions, policy.unknown_sessions, {*own_roles, *(each.role for each, _ in ours)})
    meant = known(steps, heads_of(steps))
    return releases([*(each for each, label in ours if not _has(label, revision, steps, meant)), *counted])


def built_with(revision: str, steps: Mapping[str, Step], sessions: Sequence[Session], policy: Policy) -> list[Release]:
    """The releases that have `revision`, or were built for what nobody knows: they may use what it made.

    A session that says nothing does not count: it was there before anybody said anything.
    """
    ours = _ours(sessions, policy)
    meant = known(steps, heads_of(steps))
    return releases([each for each, label in ours if _is_strange(label, meant) or _has(label, revision, steps, meant)])


def _ours(sessions: Sequence[Session], policy: Policy) -> list[tuple[Session, Label]]:
    """The sessions of this product, each with what it says."""
    said = ((each, each.label) for each in sessions if each.label is not None)
    return [(each, label) for each, label in said if label.is_of(policy.product)]


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


def _is_strange(label: Label, meant: Mapping[str, tuple[str, ...]]) -> bool:
    """Whether it was built for what nobody knows."""
    return not set(label.heads.split(",")) <= meant.keys()


def _has(label: Label, revision: str, steps: Mapping[str, Step], meant: Mapping[str, tuple[str, ...]]) -> bool:
    """Whether all that it was built for includes `revision`."""
    built_for = (head for words in label.heads.split(",") for head in meant.get(words, ()))
    return revision in below(steps, built_for)
