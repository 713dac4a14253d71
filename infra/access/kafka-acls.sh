#!/bin/sh
# Gives each service of a pipeline, with a user of its own, the rights on Kafka that it needs, by Kafka's own tool.
# A test holds every line against the code. Doing it again changes nothing.
#
#   BOOTSTRAP=broker:9092 COMMAND_CONFIG=admin.properties PIPELINE=freshet sh kafka-acls.sh
#
# Read and Write include Describe. What all see are names and settings of the pipeline's own topics (`freshet run` checks
# them). kafkajs reads only in groups: whoever reads a topic without sharing it with others is a group of one, named
# <service>-<machine>-<process>.reader.<id>.
set -eu
pipeline=${PIPELINE:-freshet}

allow() {
  user=$1
  shift
  kafka-acls.sh --bootstrap-server "$BOOTSTRAP" --command-config "$COMMAND_CONFIG" --force --add \
    --allow-principal "User:freshet-$user" "$@"
}
topics() { allow "$1" --operation Describe --operation DescribeConfigs --topic "$pipeline." --resource-pattern-type prefixed; }
reads() { allow "$1" --operation Read --topic "$pipeline.$2"; }
writes() { allow "$1" --operation Write --topic "$pipeline.$2"; }
joins() { allow "$1" --operation Read --group "$pipeline-$2"; }
sees_groups() { allow "$1" --operation Describe --group "$pipeline-" --resource-pattern-type prefixed; }
reads_alone() { allow "$1" --operation Read --group "$2-" --resource-pattern-type prefixed; }

topics poller
reads poller cursors
reads poller control
writes poller changes
writes poller cursors
writes poller dead
writes poller heartbeats
joins poller capture
sees_groups poller # a sweep waits until what it read is scored and stored
reads_alone poller poller

topics scorer
reads scorer changes
reads scorer scores
reads scorer control
writes scorer scores
writes scorer dead
writes scorer heartbeats
joins scorer infer
joins scorer cache
joins scorer snapshot
joins scorer rescore
reads_alone scorer scorer

reads gateway control
writes gateway heartbeats
reads_alone gateway gateway

topics watchdog
reads watchdog heartbeats
reads watchdog cursors
reads watchdog control
writes watchdog control
writes watchdog heartbeats
joins watchdog watchdog
sees_groups watchdog
reads_alone watchdog watchdog

# Makes topics, once: `freshet bootstrap`.
topics bootstrap
allow bootstrap --operation Create --topic "$pipeline." --resource-pattern-type prefixed

# A person at the command line, or `freshet once`, which is poller and scorer in one process.
topics operator
allow operator --operation Read --operation Write --topic "$pipeline." --resource-pattern-type prefixed
allow operator --operation Read --group "$pipeline-" --resource-pattern-type prefixed
reads_alone operator freshet
reads_alone operator once
reads_alone operator verify
