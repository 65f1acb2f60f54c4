#!/bin/bash
# Every five minutes: has what failed done again.
API=https://api.devana.ai/v1
AUTH="Authorization: Bearer YOUR_API_KEY"

again() {
  case $1 in
    EXTRACTION) curl -sS -X POST -H "$AUTH" "$API/documents/$2/reextract" ;;
    EMBEDDING) curl -sS -X POST -H "$AUTH" "$API/folders/$2/reindex" ;;
    *) echo "nothing is known to be done about $1" ;;
  esac
  echo
}

while :; do
  curl -sS -H "$AUTH" "$API/jobs?type=ERROR" | jq -r '.data[] | "\(.id) \(.type) \(.targetId)"' |
    while read -r id type target; do
      echo "again: $id (Type: $type, Target: $target)"
      again "$type" "$target"
    done
  echo "the next look is in 5 minutes..."
  sleep 300
done
