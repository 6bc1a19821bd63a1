"""DAGs of waits, which `benchmarks.worker_time` starts: job ids come with the run."""

from __future__ import annotations

import os

from airflow.sdk import DAG

from airflow_provider_zcrm.sensors.mass_delete_job import MassDeleteJobSensor

for dag_id, finish in (("ends_on_a_worker", False), ("ends_in_the_triggerer", True)):
    with DAG(dag_id, schedule=None) as dag:
        for number in range(int(os.environ["WAITS"])):
            MassDeleteJobSensor(
                task_id=f"wait_{number}",
                job_id=f"{{{{ dag_run.conf['job_ids'][{number}] }}}}",
                deferrable=True,
                poke_interval=1,
                finish_in_triggerer=finish,
            )
