#!/bin/bash
# Gives each service the rights in Kafka that it needs. Below are the lines of `piperoll topics acl` for the compose file.
set -eu
umask 077
cd "$(mktemp -d)"
PATH=/opt/kafka/bin:$PATH
cat > operator.properties <<END
security.protocol=SASL_PLAINTEXT
sasl.mechanism=PLAIN
sasl.jaas.config=org.apache.kafka.common.security.plain.PlainLoginModule required username="operator" password="$OPERATOR_PASSWORD";
END

kafka-acls.sh --bootstrap-server kafka:9092 --command-config operator.properties --add --allow-principal User:piperoll-api --operation Describe --topic piperoll.audit.v1 --topic piperoll.dead-letters.v1 --topic piperoll.documents.events.v1 --topic piperoll.endpoints.events.v1 --topic piperoll.jobs.deliveries.v1 --topic piperoll.jobs.events.v1
kafka-acls.sh --bootstrap-server kafka:9092 --command-config operator.properties --add --allow-principal User:piperoll-api --operation DescribeConfigs --topic piperoll.audit.v1 --topic piperoll.dead-letters.v1 --topic piperoll.documents.events.v1 --topic piperoll.endpoints.events.v1 --topic piperoll.jobs.deliveries.v1 --topic piperoll.jobs.events.v1
kafka-acls.sh --bootstrap-server kafka:9092 --command-config operator.properties --add --allow-principal User:piperoll-api --operation Read --topic piperoll.audit.v1
kafka-acls.sh --bootstrap-server kafka:9092 --command-config operator.properties --add --allow-principal User:piperoll-api --operation Write --topic piperoll.audit.v1 --topic piperoll.documents.events.v1 --topic piperoll.endpoints.events.v1 --topic piperoll.jobs.deliveries.v1 --topic piperoll.jobs.events.v1
kafka-acls.sh --bootstrap-server kafka:9092 --command-config operator.properties --add --allow-principal User:piperoll-worker --operation Describe --topic piperoll.audit.v1 --topic piperoll.dead-letters.v1 --topic piperoll.documents.events.v1 --topic piperoll.endpoints.events.v1 --topic piperoll.jobs.deliveries.v1 --topic piperoll.jobs.events.v1
kafka-acls.sh --bootstrap-server kafka:9092 --command-config operator.properties --add --allow-principal User:piperoll-worker --operation DescribeConfigs --topic piperoll.audit.v1 --topic piperoll.dead-letters.v1 --topic piperoll.documents.events.v1 --topic piperoll.endpoints.events.v1 --topic piperoll.jobs.deliveries.v1 --topic piperoll.jobs.events.v1
kafka-acls.sh --bootstrap-server kafka:9092 --command-config operator.properties --add --allow-principal User:piperoll-worker --operation Read --group piperoll.worker --group piperoll.worker.documents --topic piperoll.documents.events.v1 --topic piperoll.jobs.events.v1
kafka-acls.sh --bootstrap-server kafka:9092 --command-config operator.properties --add --allow-principal User:piperoll-worker --operation Write --topic piperoll.dead-letters.v1 --topic piperoll.documents.events.v1 --topic piperoll.jobs.events.v1
kafka-acls.sh --bootstrap-server kafka:9092 --command-config operator.properties --add --allow-principal User:piperoll-projector --operation Describe --topic piperoll.audit.v1 --topic piperoll.dead-letters.v1 --topic piperoll.documents.events.v1 --topic piperoll.endpoints.events.v1 --topic piperoll.jobs.deliveries.v1 --topic piperoll.jobs.events.v1
kafka-acls.sh --bootstrap-server kafka:9092 --command-config operator.properties --add --allow-principal User:piperoll-projector --operation DescribeConfigs --topic piperoll.audit.v1 --topic piperoll.dead-letters.v1 --topic piperoll.documents.events.v1 --topic piperoll.endpoints.events.v1 --topic piperoll.jobs.deliveries.v1 --topic piperoll.jobs.events.v1
kafka-acls.sh --bootstrap-server kafka:9092 --command-config operator.properties --add --allow-principal User:piperoll-projector --operation Read --group piperoll.projector --group piperoll.projector.deliveries --group piperoll.projector.documents --group piperoll.projector.endpoints --topic piperoll.documents.events.v1 --topic piperoll.endpoints.events.v1 --topic piperoll.jobs.deliveries.v1 --topic piperoll.jobs.events.v1
kafka-acls.sh --bootstrap-server kafka:9092 --command-config operator.properties --add --allow-principal User:piperoll-projector --operation Write --topic piperoll.dead-letters.v1
kafka-acls.sh --bootstrap-server kafka:9092 --command-config operator.properties --add --allow-principal User:piperoll-notifier --operation Describe --topic piperoll.audit.v1 --topic piperoll.dead-letters.v1 --topic piperoll.documents.events.v1 --topic piperoll.endpoints.events.v1 --topic piperoll.jobs.deliveries.v1 --topic piperoll.jobs.events.v1
kafka-acls.sh --bootstrap-server kafka:9092 --command-config operator.properties --add --allow-principal User:piperoll-notifier --operation DescribeConfigs --topic piperoll.audit.v1 --topic piperoll.dead-letters.v1 --topic piperoll.documents.events.v1 --topic piperoll.endpoints.events.v1 --topic piperoll.jobs.deliveries.v1 --topic piperoll.jobs.events.v1
kafka-acls.sh --bootstrap-server kafka:9092 --command-config operator.properties --add --allow-principal User:piperoll-notifier --operation Read --group piperoll.notifier --group piperoll.notifier.deliveries --group piperoll.notifier.endpoints --topic piperoll.endpoints.events.v1 --topic piperoll.jobs.deliveries.v1 --topic piperoll.jobs.events.v1
kafka-acls.sh --bootstrap-server kafka:9092 --command-config operator.properties --add --allow-principal User:piperoll-notifier --operation Write --topic piperoll.dead-letters.v1 --topic piperoll.jobs.deliveries.v1
