"""``wiki``, as a script sees it: the wiki with the rights of the executor's script author, and
what only a run has, secrets and modules."""

from __future__ import annotations

import types
from pathlib import Path

from wiki.api import Wiki
from wiki.errors import AccessDenied, DamagedPage, DocumentNotFound
from wiki.model import GUEST
from wiki.rights import Right, allows
from wiki.secrets import Secrets
from wiki.store import Store
from wiki.tasks.followers import Followers
from wiki.tasks.log import Logs
from wiki.tasks.modules import Modules
from wiki.tasks.runlog import RunLog
from wiki.tasks.runs import Run
from wiki.tasks.shadows import Shadows
from wiki.tasks.signing import signer
from wiki.tasks.wake import Waker
from wiki.watching import Watching


class RunWiki(Wiki):
    """The wiki of one run."""

    def __init__(self, store: Store, run: Run, secrets: Secrets, log: RunLog) -> None:
        """Raises DocumentNotFound where the task's page is gone."""
        super().__init__(store, run.author, signer=self._find_signer, run=run.id)
        self._executor = run.executor
        self._secrets = secrets
        self._log = log
        self._modules = Modules(run.executor, lambda line: log.append("DEBUG", line))
        self._task = self.get(run.task)

    def secret(self, name: str) -> str:
        """The value of a secret that ``wikimill secret set`` keeps; no log shows it.

        Raises SecretNotFound, StoreError, or AccessDenied where the secret is not for this
        executor, or its script author does not hold the script right.
        """
        if not allows(self.user, Right.SCRIPT):
            raise AccessDenied(f"{self._executor} may read no secret: its script author "
                               f"{self.user} does not hold the script right")
        value = self._secrets.read(name, self._executor)
        self._log.mask(name, value)
        return value

    def load(self, name: str) -> types.ModuleType:
        """The script of a page as a module; a bare name is in the executor's space. See
        :meth:`wiki.tasks.modules.Modules.load`."""
        return self._modules.load(self, name)

    def _find_signer(self) -> str:
        """Looked up at the first save that signs something: it reads all the task's versions.

        Who saves the task meanwhile counts too. Where its page is another one by then, nobody
        knows any more who had a part in it.
        """
        try:
            found = signer(self._task, self.user)
            same = self.get(self._task.reference).created == self._task.created
        except (DocumentNotFound, DamagedPage):
            return GUEST
        return found if same else GUEST


def open_wiki(data: Path, store: Store, run: Run, log: RunLog) -> RunWiki:
    """The wiki that a run works on: a shadow of it for a dry run. Raises DocumentNotFound where
    the task's page is gone."""
    if run.dry_run:
        store = Shadows(data).begin(store, run.task, run.id)
    wiki = RunWiki(store, run, Secrets(data / "secrets"), log)
    if not run.dry_run:  # whose changes there is nothing to start for
        Waker(data).watch(wiki)
        Followers(Logs(data / "logs"), Watching(data / "watching.db")).watch(wiki)
    return wiki
