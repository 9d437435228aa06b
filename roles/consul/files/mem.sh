#!/bin/sh
# A Consul check: 0 passing, 1 warning, 2 critical.
free -m | awk '/^Mem:/ {
  percent = int($3 * 100 / $2)
  printf "memory: %d of %d MB used (%d%%)\n", $3, $2, percent
  exit percent > 95 ? 2 : percent > 85 ? 1 : 0
}'
