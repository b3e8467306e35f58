"""What this executor does, in a sentence."""


def run(logger, wiki, task):
    logger.info("%s begins with %s", task.reference, task.params)
    for file in task.track(task.attachments, message="files"):
        logger.info("%s has %d bytes", file.filename, file.size)
