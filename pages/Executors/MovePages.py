"""Move a page or a whole space, with all that refers to it.

The task's parameters are those of `Executors.MovePagesParameters`.
"""

from wiki.errors import TaskFailed
from wiki.moving import Mover, Outcome
from wiki.references import Reference


def run(logger, wiki, task):
    """What the task manager calls: the whole move."""
    params = task.params
    if not (params.get("source") and params.get("target")):
        raise TaskFailed("source and target: name the page and its new name")
    # As whoever put the task together: the executor's own rights are not theirs.
    mover = Mover(wiki.as_user(wiki.signer))
    moves = mover.places(Reference.parse(params["source"]), Reference.parse(params["target"]),
                         bool(params.get("space")))
    problems = mover.plan(moves).problems
    for page, why in problems:
        logger.error("%s: %s", page, why)
    if problems:
        raise TaskFailed("nothing was moved, for the reasons above")
    outcome = Outcome()
    for item in task.items([str(page) for page in moves]):
        with item:
            mover.move_page(item.value, moves, outcome, links=params.get("links") is not False,
                            redirect=bool(params.get("redirect")))
            logger.info("%s is now %s", item.value, moves[Reference.parse(item.value)])
    for page, why in outcome.failed:
        logger.warning("%s was left alone: %s", page, why)
    logger.info("%d pages moved; links turned in %d others", len(outcome.done),
                len(outcome.turned))
