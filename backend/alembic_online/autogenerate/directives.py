"""What `check` and `revision --autogenerate` do with the difference between models and database."""

import logging
from collections.abc import Sequence

from alembic import context
from alembic.operations import MigrateOperation, MigrationScript
from alembic.operations.ops import DowngradeOps, UpgradeOps
from alembic.util import rev_id

from alembic_online.autogenerate.compare import Comparison
from alembic_online.autogenerate.op_rendering import Call, Comment, Nothing
from alembic_online.autogenerate.verification import Trial
from alembic_online.errors import ModelsDiffer, RequestRefused
from alembic_online.postgres.catalogue import Difference, describe
from alembic_online.releases.phase import NAME, Phase
from alembic_online.text import counted

log = logging.getLogger(__name__)


def refuse_differences(differences: Sequence[Difference]) -> None:
    """Say in words what differs, grouped by table, and raise `ModelsDiffer`; nothing for none."""
    if not differences:
        return
    words = describe(differences)
    context.config.print_stdout(words)
    places = counted(len(differences), "place")
    raise ModelsDiffer(
        f"Models and database differ in {places} (database -> models).",
        'Write it down: alembic revision --autogenerate -m "..."',
        words.splitlines(),
    )


def write_differences(comparison: Comparison, directives: list[MigrationScript], *, says_phase: bool = False) -> None:
    """Put the lines for both ways into the file, none where nothing differs. Says what could not be proved.

    With `says_phase` the file says whether the release before would notice; where it would of a part of it alone, that
    part comes into a second file.

    What plugins of others have put there comes after the upgrade's lines, and before the downgrade's.

    Raises `RequestRefused` for a rename that nobody has decided, `CannotWrite`.
    """
    if not comparison.differences:
        return
    context.config.print_stdout(describe(comparison.differences))
    trial = comparison.trial()
    if not any(isinstance(line, Call) for line in trial.up):
        raise RequestRefused("Autogenerate sees what differs and has no line for it.", "Write the revision by hand.")
    phase = comparison.phase if says_phase else None
    if phase is Phase.CONTRACT and (pair := comparison.pair(trial)):
        directives.append(ContractScript(directives[0]))
        _write(comparison, pair[0], directives[0], Phase.EXPAND)
        _write(comparison, pair[1], directives[1], Phase.CONTRACT)
    else:
        _write(comparison, trial, directives[0], phase)


class ContractScript(MigrationScript):
    """The second file of a pair. It stands on the first one, whatever id a hook of the project gives that."""

    def __init__(self, expand: MigrationScript) -> None:
        assert isinstance(expand.upgrade_ops, UpgradeOps)
        assert isinstance(expand.downgrade_ops, DowngradeOps)
        super().__init__(
            rev_id(),
            UpgradeOps([], upgrade_token=expand.upgrade_ops.upgrade_token),
            DowngradeOps([], downgrade_token=expand.downgrade_ops.downgrade_token),
            message=f"{Phase.CONTRACT}: {expand.message}" if expand.message else str(Phase.CONTRACT),
            imports={*expand.imports},
            version_path=expand.version_path,
        )
        self.expand = expand

    def stand_on_expand(self) -> None:
        """To be called when all hooks have run."""
        self.head = self.expand.rev_id


def _write(comparison: Comparison, trial: Trial, script: MigrationScript, phase: Phase | None) -> None:
    for problem in trial.problems:
        log.warning("This revision was tried on a scratch database: %s", problem)
    for problem in trial.with_rows:
        log.warning("This revision was tried on tables with rows: %s", problem)
    remarks: list[MigrateOperation] = [Comment(f"Not compared: {each.where}") for each in comparison.built.obstacles]
    remarks += [Comment(f"Not proved: {problem}") for problem in trial.problems]
    remarks += [Comment(f"On tables with rows {problem}") for problem in trial.with_rows]
    assert isinstance(script.upgrade_ops, UpgradeOps)
    assert isinstance(script.downgrade_ops, DowngradeOps)
    top = []
    if trial.leaves:  # else the end state would not be accepted
        top.append(f"leaves = {trial.leaves!r}")
    if phase:
        top.append(f'{NAME} = "{phase}"')
    script.imports = {*script.imports, *top}  # a set of its own: Alembic's is one for all scripts of a process
    back = any(isinstance(line, Call) for line in trial.down)
    script.upgrade_ops.ops = [*remarks, *trial.up, *script.upgrade_ops.ops]
    back = back or not script.downgrade_ops.is_empty()
    script.downgrade_ops.ops = [*script.downgrade_ops.ops, *trial.down, *(() if back else (Nothing(),))]
