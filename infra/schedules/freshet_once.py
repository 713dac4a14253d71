"""Freshet by Airflow: a run every five minutes.

Put this file into the DAGs folder. It needs nothing but a Freshet folder with its node_modules on the worker, and the
settings there: a freshet.yaml, or FRESHET_... variables of the worker, which the run inherits. Three variables of the
scheduler change it: FRESHET_FOLDER, FRESHET_ONCE_SCHEDULE and FRESHET_ONCE_DEADLINE_SECONDS.

Runs never overlap (max_active_runs), none is made up for (catchup): a run does all that there is to do. Nothing needs a
retry either, since the next run goes on where this one was. Exit codes: 0 done, 1 something is left, 2 someone has to
mend something; the last line of the log is the summary, and its JSON is the task's XCom.
"""

import os
import shlex
from datetime import datetime, timedelta, timezone

try:  # Airflow 3
    from airflow.providers.standard.operators.bash import BashOperator
    from airflow.sdk import DAG
except ImportError:  # Airflow 2
    from airflow import DAG
    from airflow.operators.bash import BashOperator

FOLDER = os.environ.get("FRESHET_FOLDER", "/opt/freshet")
SCHEDULE = os.environ.get("FRESHET_ONCE_SCHEDULE", "*/5 * * * *")
DEADLINE_SECONDS = int(os.environ.get("FRESHET_ONCE_DEADLINE_SECONDS", "1200"))

with DAG(
    dag_id="freshet_once",
    description="Capture, score and store what has changed in Elasticsearch",
    schedule=SCHEDULE,
    start_date=datetime(2026, 1, 1, tzinfo=timezone.utc),
    catchup=False,
    max_active_runs=1,
    doc_md=__doc__,
    tags=["freshet"],
) as dag:
    BashOperator(
        task_id="once",
        # exec: Airflow's SIGTERM reaches the run itself, which then finishes what it holds within 10 s.
        bash_command=(
            f"cd {shlex.quote(FOLDER)} && exec node_modules/.bin/node --max-semi-space-size=8 services/cli/freshet.ts "
            f"--json once --deadline {DEADLINE_SECONDS}"
        ),
        append_env=True,
        retries=0,
        # For a worker that hangs altogether.
        execution_timeout=timedelta(seconds=DEADLINE_SECONDS + 300),
    )
