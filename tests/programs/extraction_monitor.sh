#!/bin/bash
# Follows the extraction of one document until it has ended; status 1 when it failed.
DOCUMENT="cm4doc123abc456"

newest() {
  curl -sS -H "Authorization: Bearer YOUR_API_KEY" \
    "https://api.devana.ai/v1/jobs?targetId=$1&type=EXTRACTION&limit=1" | jq -c '.data[0]'
}

while job=$(newest "$DOCUMENT"); [ "$job" != null ]; do
  jq -r '"\(.status) at \(.progress // 0)%"' <<< "$job"
  case $(jq -r .status <<< "$job") in
    DONE) exit 0 ;;
    ERROR) echo "failed: $(jq -r .error <<< "$job")"; exit 1 ;;
  esac
  sleep 2
done
echo "no job is about $DOCUMENT"
