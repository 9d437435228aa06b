#!/bin/sh
# A Consul check: 0 passing, 1 warning, 2 critical.
df -Pm / | awk 'NR == 2 {
  percent = int($5)
  printf "disk: %d of %d MB used (%d%%)\n", $3, $2, percent
  exit percent > 95 ? 2 : percent > 80 ? 1 : 0
}'
