"""Runs one task, ``backup`` or ``restore``, in a process of its own, and prints as JSON what it returned, its seconds, and the bytes by
which the resident set was larger at its peak than at the start, when Airflow, the libraries and an access token were there.
"""

from __future__ import annotations

import json
import os
import re
import sys
import time
from pathlib import Path

# before anything imports Airflow
os.environ |= {"AIRFLOW__LOGGING__LOGGING_LEVEL": "ERROR", "NO_PROXY": "127.0.0.1"}

from airflow.providers.common.compat.sdk import BaseOperator

from airflow_provider_zcrm.api.org import get_org
from airflow_provider_zcrm.backup.backup_file import BackupFile
from airflow_provider_zcrm.hooks.zcrm import ZohoCrmHook
from airflow_provider_zcrm.operators.backup_tags import BackupTagsOperator
from airflow_provider_zcrm.operators.restore_tags import RestoreTagsOperator
from tests.airflow_task import TaskRun


def main(what: str, path: str, *tag_ids: str) -> None:
    """Run it."""
    # what comes with the first call of any task is no part of what is measured
    ZohoCrmHook().get_conn().send(get_org())
    BackupFile(path, None).exists()
    task: BaseOperator = (
        BackupTagsOperator(task_id=what, module="Leads", tag_ids=list(tag_ids), backup_path=path)
        if what == "backup"
        else RestoreTagsOperator(task_id=what, backup_path=path)
    )
    # 5 sets the peak to what is resident now
    Path("/proc/self/clear_refs").write_text("5")
    before, started = _resident("VmRSS"), time.monotonic()
    returned = TaskRun(task).try_once()
    took = time.monotonic() - started
    sys.stdout.write(json.dumps({"returned": returned, "seconds": took, "bytes": _resident("VmHWM") - before}))


def _resident(name: str) -> int:
    found = re.search(rf"^{name}:\s+(\d+) kB$", Path("/proc/self/status").read_text(), re.MULTILINE)
    assert found  # noqa: S101 - Linux says it
    return 1024 * int(found[1])


if __name__ == "__main__":
    main(*sys.argv[1:])
