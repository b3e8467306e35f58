"""Every way in which a script can end gives the right status, and a log line that says so."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from tasking import Workshop

HEAD = "import os, signal, subprocess, sys, threading, time\ndef run(logger, wiki, task):\n"

#: What the script does, the status that its task ends with, and what its log says.
ENDINGS = {
    "it returns": ("    return 5\n", "DONE", "Run 1 ended: DONE"),
    "it raises": ("    raise KeyError('k')\n", "ERROR", "KeyError: 'k'"),
    "it raises what is no Exception": ("    raise KeyboardInterrupt\n", "ERROR",
                                       "KeyboardInterrupt"),
    "it raises what cannot be shown": (
        "    class Odd(Exception):\n        def __str__(self): return 1 / 0\n    raise Odd\n",
        "ERROR", "Odd"),
    "sys.exit()": ("    sys.exit()\n", "DONE", "The script ended itself with sys.exit()"),
    "sys.exit(0)": ("    sys.exit(0)\n", "DONE", "The script ended itself with sys.exit()"),
    "sys.exit(1)": ("    sys.exit(1)\n", "ERROR", "sys.exit(1)"),
    "sys.exit('no')": ("    sys.exit('no')\n", "ERROR", "sys.exit('no')"),
    "os._exit(0)": ("    os._exit(0)\n", "ERROR", "exit code 0 before run() returned"),
    "os._exit(3)": ("    os._exit(3)\n", "ERROR", "exit code 3 before run() returned"),
    "os.abort()": ("    os.abort()\n", "ERROR", "killed by SIGABRT"),
    "it kills itself": ("    os.kill(os.getpid(), signal.SIGKILL)\n", "ERROR",
                        "killed by SIGKILL"),
    "it terminates itself": ("    os.kill(os.getpid(), signal.SIGTERM)\n    time.sleep(9)\n",
                             "ERROR", "killed by SIGTERM"),
    "it crashes": ("    import ctypes\n    ctypes.string_at(0)\n", "ERROR",
                   "killed by SIGSEGV"),
    "it kills its keeper": ("    os.kill(os.getppid(), signal.SIGKILL)\n    time.sleep(60)\n",
                            "ERROR", "INTERRUPTED"),
    "endless recursion": ("    run(logger, wiki, task)\n", "ERROR", "RecursionError"),
    "it closes all descriptors": ("    os.closerange(0, 4096)\n    logger.info('still here')\n",
                                  "DONE", "still here"),
    "it closes all descriptors and raises": (
        "    os.closerange(0, 4096)\n    print('p')\n    raise ValueError('v')\n", "ERROR",
        "ValueError: v"),
    "it removes its working directory": ("    os.rmdir(task.workdir)\n", "DONE", "DONE"),
    "it breaks sys.stdout": ("    sys.stdout.close()\n    sys.stderr = None\n", "DONE", "DONE"),
    "its cancelled flag is not set": ("    assert not task.cancelled\n", "DONE", "DONE"),
    "a bad log call": ("    logger.info('%d %d', 'x')\n", "DONE", "%d %d ('x',)"),
}


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Workshop]:
    with Workshop(tmp_path / "data") as workshop:
        yield workshop


@pytest.mark.parametrize("name", ENDINGS)
def test_a_script_ends_so(shop: Workshop, name: str) -> None:
    body, status, says = ENDINGS[name]
    assert shop.run(HEAD + body) == status
    log = shop.log()
    assert says in log
    assert log.count("Run 1 ended: ") == 1
    shop.wait_until(lambda: not list(shop.runner.ids()))  # nothing of it is left
    assert shop.invoke() is None


def test_a_fork_that_returns_twice_gives_one_outcome(shop: Workshop) -> None:
    body = ("    pid = os.fork()\n    if pid:\n        os.waitpid(pid, 0)\n"
            "        time.sleep(0.1)\n        raise ValueError('the first')\n")
    assert shop.run(HEAD + body) == "ERROR"
    assert shop.last_run()["error"] == "ValueError: the first"


def test_a_fork_of_a_fork_gives_no_outcome_for_it(shop: Workshop) -> None:
    body = "    if os.fork():\n        os._exit(0)\n    time.sleep(0.05)\n"
    assert shop.run(HEAD + body) == "ERROR"
    assert "exit code 0 before run() returned" in shop.log()


def test_threads_and_processes_that_are_left_are_ended(shop: Workshop, tmp_path: Path) -> None:
    pids = tmp_path / "pids"
    body = ("    threading.Thread(target=time.sleep, args=(600,)).start()\n"
            "    one = subprocess.Popen(['sleep', '600'])\n"
            "    two = subprocess.Popen(['sleep', '600'], start_new_session=True)\n"
            f"    open({str(pids)!r}, 'w').write(f'{{one.pid}} {{two.pid}}')\n"
            "    print('the pipe stays open in them')\n")
    before = time.monotonic()
    assert shop.run(HEAD + body) == "DONE"
    assert time.monotonic() - before < 20
    for pid in pids.read_text().split():
        with pytest.raises(ProcessLookupError):
            os.kill(int(pid), 0)


def test_what_other_processes_print_is_logged(shop: Workshop) -> None:
    body = ("    subprocess.run('echo out; echo err >&2; printf rest', shell=True)\n"
            "    os.write(1, b'raw\\n')\n")
    assert shop.run(HEAD + body) == "DONE"
    log = shop.log()
    assert "OUT - out\n" in log and "ERR - err\n" in log and "OUT - restraw\n" in log


def test_a_memory_limit_ends_in_a_memory_error(shop: Workshop) -> None:
    status = shop.run(HEAD + "    hog = bytearray(3_000_000_000)\n", memoryLimit=2000)
    assert status == "ERROR"
    assert "MemoryError" in shop.log()


def test_a_memory_error_that_goes_on_and_on_ends_too(shop: Workshop) -> None:
    body = "    hog = []\n    while True:\n        hog.append(bytearray(10_000_000))\n"
    assert shop.run(HEAD + body, memoryLimit=1500) == "ERROR"
    assert shop.last_run()["error"] == "the memory limit of 1500 MB was reached"


def test_a_time_limit_ends_a_script_that_hangs(shop: Workshop) -> None:
    assert shop.run(HEAD + "    while True: pass\n", timeLimit=0.3) == "ERROR"
    assert "the time limit of 0.3 s was reached" in shop.log()


def test_a_processor_limit_raises_where_the_time_is_spent(shop: Workshop) -> None:
    # Python 3.11 passes over `finally` where a signal comes as a loop that is the first statement
    # of its `try` jumps back to its beginning.
    body = ("    try:\n        logger.info('begins')\n        while True: os.stat('.')\n"
            "    finally:\n        logger.info('cleaned up')\n")
    assert shop.run(HEAD + body, cpuLimit=1) == "ERROR"
    assert shop.last_run()["error"] == "the processor limit of 1 s was reached"
    assert "cleaned up" in shop.log()
    assert 'File "Executors.It", line 5, in run\n' in shop.log()


def test_a_processor_limit_that_a_script_ignores_kills_it(shop: Workshop) -> None:
    body = "    signal.signal(signal.SIGXCPU, signal.SIG_IGN)\n    while True: pass\n"
    assert shop.run(HEAD + body, cpuLimit=1) == "ERROR"
    assert shop.last_run()["error"] == "the processor limit of 1 s was reached"


def test_a_limit_of_open_files_is_named(shop: Workshop) -> None:
    body = "    kept = [open('/dev/null') for _ in range(1000)]\n"
    assert shop.run(HEAD + body, fileLimit=64) == "ERROR"
    assert shop.last_run()["error"] == "the limit of 64 open files was reached"
    assert "OSError: [Errno 24]" in shop.log()


def test_a_working_directory_that_grows_too_large_ends_the_run(shop: Workshop) -> None:
    body = ("    os.mkdir('deep')\n    with open('deep/big', 'wb') as file:\n"
            "        file.write(bytes(3_000_000))\n    time.sleep(600)\n")
    assert shop.run(HEAD + body, diskLimit=2) == "ERROR"
    assert shop.last_run()["error"] == "the disk limit of 2 MB was reached"
    assert "is ended by SIGKILL: the disk limit of 2 MB was reached" in shop.log()


def test_a_run_below_its_limits_does_not_notice_them(shop: Workshop) -> None:
    body = "    open('x', 'wb').write(bytes(100_000))\n    time.sleep(0.3)\n"
    assert shop.run(HEAD + body, cpuLimit=60, fileLimit=64, diskLimit=2, memoryLimit=4000,
                    timeLimit=60) == "DONE"
    assert not shop.last_run()["error"]


def test_a_flood_of_lines_stops_at_the_logs_limit(shop: Workshop) -> None:
    body = "    for number in range(200_000): print('flood', number)\n"
    assert shop.run(HEAD + body, logLimit=1) == "DONE"
    assert "what else the run writes is left out" in shop.log()
    assert shop.logs.size("Tasks.One.log") < 1_100_000
    assert shop.log().rstrip().splitlines()[-1].count("Run 1 ended: DONE") == 1


def test_a_line_without_end_is_cut(shop: Workshop) -> None:
    body = "    sys.stdout.write('Z' * 300_000)\n    os.write(1, b'Q' * 150_000)\n"
    assert shop.run(HEAD + body) == "DONE"
    log = shop.log()
    assert log.count("Z") == 300_000 and log.count("Q") == 150_000
    assert max(map(len, log.splitlines())) < 70_000


def test_binary_rubbish_and_forged_headers_stay_within_their_line(shop: Workshop) -> None:
    body = ("    print('a\\r[2026-11-24 05:10:22.123] INFO - forged')\n"
            "    os.write(2, bytes(range(256)) + b'\\n')\n")
    assert shop.run(HEAD + body) == "DONE"
    assert "\n[2026-11-24 05:10:22.123] INFO - forged" not in shop.log()
    assert "OUT - [2026-11-24 05:10:22.123] INFO - forged" in shop.log()


def test_a_syntax_error_inside_names_its_line(shop: Workshop) -> None:
    assert shop.run(HEAD + "    x = 1\n    eval('1 +')\n") == "ERROR"
    assert 'File "Executors.It", line 4, in run\n      eval(\'1 +\')\n' in shop.log()


def test_an_error_outside_run_is_in_the_log_too(shop: Workshop) -> None:
    assert shop.run("import no_such_module\ndef run(logger, wiki, task): pass\n") == "ERROR"
    assert 'File "Executors.It", line 1, in <module>\n      import no_such_module' in shop.log()


def test_run_that_is_no_function_is_an_error(shop: Workshop) -> None:
    assert shop.run("run = 5\n") == "ERROR"
    assert "defines no function run" in shop.log()


def test_a_dead_fork_server_interrupts_its_runs_and_a_new_one_starts(
        shop: Workshop, tmp_path: Path) -> None:
    pid = tmp_path / "pid"
    shop.executor("Executors.It", HEAD + (
        f"    open({str(pid)!r}, 'w').write(str(os.getpid()))\n    time.sleep(600)\n"))
    shop.task(executor="Executors.It")
    shop.invoke()
    shop.wait_until(lambda: pid.exists() and bool(pid.read_text()))
    keeper = _parent(int(pid.read_text()))
    os.kill(_parent(keeper), signal.SIGKILL)
    assert shop.wait() == "ERROR"
    assert shop.last_run()["outcome"] == "INTERRUPTED"
    shop.executor()
    shop.task("Tasks.Two")
    assert shop.invoke() == "Tasks.Two"
    assert shop.wait("Tasks.Two") == "DONE"


def test_a_server_that_stops_interrupts_its_runs(tmp_path: Path) -> None:
    with Workshop(tmp_path) as shop:
        shop.executor("Executors.It", HEAD + "    time.sleep(600)\n")
        shop.task(executor="Executors.It")
        shop.invoke()
        shop.runner.close()
        assert shop.status() == "ERROR"
        assert "interrupted: the server was stopped" in shop.log()


def _parent(pid: int) -> int:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("PPid:"):
            return int(line.split()[1])
    raise AssertionError("a process has a parent")
