"""Prints what Airflow makes of a DAG file, as JSON. For the test of these files."""

import json
import sys

from airflow.dag_processing.dagbag import DagBag

bag = DagBag(dag_folder=sys.argv[1])
dags = {
    dag_id: {
        "schedule": dag.schedule,
        "maxActiveRuns": dag.max_active_runs,
        "catchup": dag.catchup,
        "commands": [task.bash_command for task in dag.tasks],
        "timeoutSeconds": [task.execution_timeout.total_seconds() for task in dag.tasks],
    }
    for dag_id, dag in bag.dags.items()
}
print("\n" + json.dumps({"errors": bag.import_errors, "dags": dags}))
