"""Count to ten, one number a second."""

import time


def run(logger, wiki, task):
    logger.info("Hello from %s", task.reference)
    for number in task.track(range(1, 11)):
        print(number)
        time.sleep(1)
